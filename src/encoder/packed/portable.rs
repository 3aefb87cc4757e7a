//! Plain Rust for any processor, in registers of eight that the compiler maps to what it has.

use super::lanes::Array;

// Arm has the fused multiplication; elsewhere it would be a call.
type Portable = Array<8, { cfg!(target_arch = "aarch64") }>;

super::kernels::kernels!(Portable, vectors: 1, rows: 4);
