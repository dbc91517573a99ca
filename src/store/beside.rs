//! Threads beside the way of a commit: where both wait for the processor, they come later.

/// How much later, in steps of the kernel's nice value: a third of what another thread gets.
const STEPS: i32 = 5;

/// Puts this thread, and those that it starts from now on, behind those on the way of a commit, where both wait for the processor.
/// It never stands still: when much waits to be put into files, intake waits for it. May be called again.
pub fn let_others_go_first() {
    let (own, main) = (rustix::thread::gettid(), rustix::process::getpid());
    let priority = |of| rustix::process::getpriority_process(Some(of));
    // Where it is not allowed all are alike: nothing but speed depends on it.
    let _ = priority(main).and_then(|main| match priority(own)? {
        now if now > main => Ok(()),
        _ => rustix::process::setpriority_process(Some(own), main + STEPS),
    });
}
