//! What goes out over a connection, gathered. tokio runs the task of a connection right after the first of its calls that has
//! something to say, so each answer would be a packet and a system call of its own, though others are a
//! microsecond away. Here a write waits once until all tasks that can run now have had their turn, and what they
//! say goes with it. Where nothing else can run, it waits for nothing.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream of bytes whose writes are gathered.
pub struct Gathered<T> {
    stream: T,
    /// What is to be written has waited for the others.
    waited: bool,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Gathered<T> {
    /// Gathers what is written to this one.
    pub fn new(stream: T) -> Gathered<T> {
        Gathered { stream, waited: false }
    }

    /// Pending once for each write: tokio puts a task that wakes itself behind all others.
    fn wait_for_others(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.waited {
            return Poll::Ready(());
        }
        self.waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Gathered<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Gathered<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.wait_for_others(context));
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    /// Comes when all was written: what comes next waits again.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.waited = false;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.wait_for_others(context));
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    /// False: h2 then copies answers of less than 1 KiB and writes many at once; else it writes whatever has 256 bytes by itself.
    fn is_write_vectored(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};
    use tokio::io::AsyncWriteExt;
    use tokio::sync::Notify;

    /// Counts what reaches the system.
    #[derive(Clone, Default)]
    struct Wire {
        writes: Arc<AtomicUsize>,
        bytes: Arc<Mutex<Vec<u8>>>,
    }

    impl Wire {
        fn seen(&self) -> (usize, String) {
            let bytes = self.bytes.lock().unwrap().clone();
            (self.writes.load(Ordering::Relaxed), String::from_utf8(bytes).unwrap())
        }
    }

    impl AsyncRead for Wire {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Wire {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.writes.fetch_add(1, Ordering::Relaxed);
            self.bytes.lock().unwrap().extend_from_slice(bytes);
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// Writes what was said, whenever somebody said something, as a connection does: what is said before a write is through
    /// goes with it.
    async fn connection(wire: Wire, said: Arc<Mutex<Vec<u8>>>, something: Arc<Notify>) {
        let mut out = Gathered::new(wire);
        loop {
            something.notified().await;
            std::future::poll_fn(|context| {
                let mut said = said.lock().unwrap();
                while !said.is_empty() {
                    let written = ready!(Pin::new(&mut out).poll_write(context, &said));
                    said.drain(..written.unwrap());
                }
                Poll::Ready(())
            })
            .await;
            out.flush().await.unwrap();
        }
    }

    /// In a task, as calls are: beside one another on one thread.
    async fn many_speak_twice() {
        let (wire, said, something) = (Wire::default(), Arc::default(), Arc::new(Notify::new()));
        tokio::spawn(connection(wire.clone(), Arc::clone(&said), Arc::clone(&something)));
        for times in 1..=2 {
            for letter in "abcdefghij".bytes() {
                let (said, something) = (Arc::clone(&said), Arc::clone(&something));
                tokio::spawn(async move {
                    said.lock().unwrap().push(letter);
                    something.notify_one();
                });
            }
            while wire.seen().1.len() < 10 * times {
                tokio::task::yield_now().await;
            }
            assert_eq!(
                wire.seen().0,
                times,
                "each time they wait for each other: {:?}",
                wire.seen()
            );
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn what_many_say_at_a_time_goes_out_at_once() {
        tokio::spawn(many_speak_twice()).await.unwrap();
    }

    #[tokio::test]
    async fn one_alone_waits_for_nobody() {
        let wire = Wire::default();
        let mut out = Gathered::new(wire.clone());
        out.write_all(b"now").await.unwrap();
        assert_eq!(wire.seen(), (1, "now".to_owned()), "without another task and without a flush");
        out.flush().await.unwrap();
        // More than the system takes at a time goes on at once: it waits once for each flush.
        out.write_all(b" and").await.unwrap();
        out.write_all(b" then").await.unwrap();
        assert_eq!(wire.seen(), (3, "now and then".to_owned()));
    }
}
