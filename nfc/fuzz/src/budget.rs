//! Counts what a target allocates, so that quadratic copies and allocations sized by a length
//! field are findings and not merely slow.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::atomic::{AtomicU32, Ordering},
};

/// How often in one process an input may need its second run: there are fewer tables.
const MOST_SECOND_RUNS: u32 = 8;

/// The system's allocator, counting the bytes handed out to the thread.
struct Counting;

thread_local! {
    static SPENT: Cell<u64> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(bytes: usize) {
    // Not counted while the thread ends.
    let _ = SPENT.try_with(|spent| spent.set(spent.get().saturating_add(bytes as u64)));
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Runs `target` over `data`. Where it allocates too much it is run again: tables that are made at
/// their first use and kept are no cost of the input. What is kept for every input is.
///
/// # Panics
/// If it allocates more than `base` bytes and `each` more for every byte of input, all told, in the
/// second run too or for the ninth time in this process.
pub fn within(base: u64, each: u64, data: &[u8], target: impl Fn(&[u8])) {
    let run = || {
        SPENT.set(0);
        target(data);
        SPENT.get()
    };
    let most = base + each * data.len() as u64;
    static SECOND_RUNS: AtomicU32 = AtomicU32::new(0);
    if run() > most {
        let again = SECOND_RUNS.fetch_add(1, Ordering::Relaxed);
        let spent = if again < MOST_SECOND_RUNS { run() } else { SPENT.get() };
        assert!(spent <= most, "{spent} bytes allocated for {} bytes of input", data.len());
    }
}
