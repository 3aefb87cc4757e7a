//! Corpora: runs that are interrupted and taken up, split and merged, told twice, verified, and
//! refused.

mod cluster;
mod failures;
mod interrupted;
mod place;
mod shards;
mod verify;
