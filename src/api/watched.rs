//! Answers that come one after the other to somebody who watches. Each is made when the one before has been read: who does not
//! read has none waiting but the one on its way, and what happens meanwhile is told by the next one.

use super::errors::Error;
use super::shared::Shared;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc};
use tokio_stream::Stream;
use tonic::Status;

/// The answers, as the connection takes them.
pub struct Watched<T> {
    replies: mpsc::Receiver<Result<T, Status>>,
    wanted: Arc<Notify>,
    _place: OwnedSemaphorePermit,
}

/// Who makes the answers.
pub struct Teller<T> {
    to_client: mpsc::Sender<Result<T, Status>>,
    wanted: Arc<Notify>,
    /// The client waits for an answer.
    asked: bool,
}

/// A place for one who watches, with who tells it; `waiting` answers may wait to be read.
///
/// # Errors
/// When as many watch as may.
pub fn watched<T>(shared: &Shared, waiting: usize) -> Result<(Teller<T>, Watched<T>), Error> {
    let place = Arc::clone(&shared.watching).try_acquire_owned().map_err(|_| Error::Busy)?;
    let (to_client, replies) = mpsc::channel(waiting);
    let wanted = Arc::new(Notify::new());
    let watched = Watched { replies, wanted: Arc::clone(&wanted), _place: place };
    Ok((Teller { to_client, wanted, asked: false }, watched))
}

impl<T> Teller<T> {
    /// Waits until the answer before has been read; false = the client is gone.
    pub async fn wanted(&mut self) -> bool {
        if !self.asked {
            tokio::select! {
                biased;
                () = self.to_client.closed() => return false,
                () = self.wanted.notified() => self.asked = true,
            }
        }
        true
    }

    /// Waits until the client is gone.
    pub async fn closed(&self) {
        self.to_client.closed().await;
    }

    /// Tells an answer, or how it ends; false = the client is gone.
    pub async fn tell(&mut self, answer: Result<T, Error>) -> bool {
        self.asked = false;
        self.to_client.send(answer.map_err(Status::from)).await.is_ok()
    }

    /// Tells something if there is room: a slow reader misses some.
    pub fn tell_if_read(&self, answer: T) {
        let _ = self.to_client.try_send(Ok(answer));
    }
}

impl<T> Stream for Watched<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.replies.poll_recv(context);
        if next.is_pending() {
            self.wanted.notify_one();
        }
        next
    }
}
