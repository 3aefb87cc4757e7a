//! A stage does the same work to every item that comes by, on the threads of a pool, and hands
//! the results on in the order of the items. [`Budget`] bounds what is in flight over all stages.

use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Scope;

use rayon::ThreadPool;

/// Items and bytes in flight, at most so many; one item larger than all the bytes passes alone.
pub(super) struct Budget {
    most_items: usize,
    most_bytes: usize,
    used: Mutex<Used>,
    freed: Condvar,
}

#[derive(Default)]
struct Used {
    items: usize,
    bytes: usize,
    closed: bool,
}

impl Budget {
    pub(super) fn new(most_items: usize, most_bytes: usize) -> Budget {
        Budget {
            most_items,
            most_bytes,
            used: Mutex::default(),
            freed: Condvar::new(),
        }
    }

    /// Waits until there is room for an item of so many bytes. False: closed, nothing more goes in.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let mut used = self.lock();
        while !used.closed
            && used.items > 0
            && (used.items >= self.most_items || used.bytes + bytes > self.most_bytes)
        {
            used = self
                .freed
                .wait(used)
                .unwrap_or_else(PoisonError::into_inner);
        }
        used.items += 1;
        used.bytes += bytes;
        !used.closed
    }

    /// An item of so many bytes has left.
    pub(super) fn give_back(&self, bytes: usize) {
        let mut used = self.lock();
        used.items -= 1;
        used.bytes -= bytes;
        self.freed.notify_all();
    }

    /// Lets nothing more in.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.freed.notify_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Results in the order of the items they were made from.
pub(super) struct Ordered<T>(Receiver<Receiver<T>>);

impl<T> Iterator for Ordered<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.recv().ok()?.recv().ok()
    }
}

/// Starts a stage: first come, first begun, so that at any moment little stands half done. How
/// much waits between stages is the budget's affair, not the channels'.
pub(super) fn stage<'scope, 'env, A, B, I, F>(
    threads: &'scope Scope<'scope, 'env>,
    pool: &'env ThreadPool,
    items: I,
    work: &'env F,
) -> Ordered<B>
where
    A: Send + 'scope,
    B: Send + 'scope,
    I: Iterator<Item = A> + Send + 'scope,
    F: Fn(A) -> B + Sync,
{
    let (order, results) = channel();
    threads.spawn(move || {
        pool.in_place_scope_fifo(|scope| {
            for item in items {
                let (give, take) = sync_channel(1);
                if order.send(take).is_err() {
                    return;
                }
                // Nobody listens any more only where the run has ended early.
                scope.spawn_fifo(move |_| drop(give.send(work(item))));
            }
        });
    });
    Ordered(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_within_the_budget() {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(3)
            .build()
            .unwrap();
        let budget = Budget::new(4, 1000);
        let work = |number: u64| {
            std::thread::sleep(std::time::Duration::from_micros(number * 7919 % 300));
            number * 2
        };
        let got: Vec<u64> = std::thread::scope(|threads| {
            let (send, numbers) = channel();
            threads.spawn(|| {
                let send = send;
                for number in 0..200 {
                    assert!(budget.take(10));
                    send.send(number).unwrap();
                }
            });
            let doubled = stage(threads, &pool, numbers.into_iter(), &work);
            doubled
                .inspect(|_| {
                    assert!(budget.lock().items <= 4);
                    budget.give_back(10);
                })
                .collect()
        });
        assert_eq!(got, (0..200).map(|number| number * 2).collect::<Vec<_>>());
    }

    #[test]
    fn an_item_larger_than_the_budget_passes_alone() {
        let budget = Budget::new(4, 10);
        assert!(budget.take(1000));
        budget.give_back(1000);
        assert!(budget.take(3));
        budget.close();
        assert!(!budget.take(1000));
    }
}
