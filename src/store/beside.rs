//! Threads beside the way of a commit: where both wait for the processor, they come later.

/// How much later, in steps of the kernel's nice value: a third of what another thread gets.
const STEPS: i32 = 5;

/// Puts this thread, and those that it starts from now on, behind those on the way of a commit, where both wait for the processor.
/// It never stands still: when much waits to be put into files, intake waits for it.
pub fn let_others_go_first() {
    let thread = Some(rustix::thread::gettid());
    let priority = rustix::process::getpriority_process(thread);
    // Where it is not allowed all are alike: nothing but speed depends on it.
    let _ = priority.and_then(|now| rustix::process::setpriority_process(thread, now + STEPS));
}
