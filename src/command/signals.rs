//! Ctrl-C and SIGTERM: the run finishes what is in flight and ends.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::Duration;

/// Told of the first SIGINT or SIGTERM since [`Signals::catch`].
#[derive(Clone, Default)]
pub struct Signals {
    stop: Arc<AtomicBool>,
    signal: Arc<AtomicI32>,
}

/// What is in flight gets this long to be finished. A document may need longer; it is then left
/// undone, which an output's journal stands at any moment.
#[cfg(unix)]
const PATIENCE: Duration = Duration::from_secs(4);

impl Signals {
    /// From now on these signals stop the run rather than the process; a second one, or four
    /// seconds, end the process.
    ///
    /// # Errors
    /// If the system does not let them be caught.
    #[cfg(unix)]
    pub fn catch() -> io::Result<Signals> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        let signals = Signals::default();
        let mut caught = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
        let told = signals.clone();
        std::thread::spawn(move || {
            for signal in caught.forever() {
                if told.stop.swap(true, Ordering::SeqCst) {
                    std::process::exit(128 + signal);
                }
                told.signal.store(signal, Ordering::SeqCst);
                std::thread::spawn(move || {
                    std::thread::sleep(PATIENCE);
                    std::process::exit(128 + signal);
                });
            }
        });
        Ok(signals)
    }

    /// Elsewhere the process just ends; the journal stands it.
    #[cfg(not(unix))]
    pub fn catch() -> io::Result<Signals> {
        Ok(Signals::default())
    }

    /// Becomes true with the first signal.
    pub fn stop(&self) -> &AtomicBool {
        &self.stop
    }

    /// What a shell expects of a process that this signal has ended: 130 or 143.
    pub fn exit_code(&self) -> u8 {
        u8::try_from(128 + self.signal.load(Ordering::SeqCst)).unwrap_or(130)
    }
}
