//! How commands reach the chip, and the one loop that drives a protocol over it.
//!
//! The link is trusted with nothing: it may drop, delay, replay or invent replies.

use crate::apdu::{Command, Response, StatusWord};

/// Commands to run in order. The link stops after the first reply whose status is not in
/// `continue_on`; that reply is the last one returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Commands in order; never empty.
    pub commands: Vec<Command>,
    /// Statuses after which the next command is sent.
    pub continue_on: Vec<StatusWord>,
}

impl Batch {
    /// A batch that continues on `9000` only.
    #[must_use]
    pub fn new(commands: Vec<Command>) -> Self {
        Self { commands, continue_on: vec![StatusWord::OK] }
    }

    /// A batch of one command.
    #[must_use]
    pub fn one(command: Command) -> Self {
        Self::new(vec![command])
    }

    /// The same batch that also continues on `status`.
    #[must_use]
    pub fn continue_on(mut self, status: StatusWord) -> Self {
        self.continue_on.push(status);
        self
    }
}

/// The link failed; the chip said nothing about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The chip left the field or the card was removed.
    #[error("the link to the chip was lost")]
    Lost,
    /// The chip left the field in the middle of a batch, after these replies.
    #[error("the link to the chip was lost after {} replies", replies.len())]
    LostAfter {
        /// The replies to the first commands of the batch.
        replies: Vec<Response>,
    },
    /// The reader or client answered with something that is no reply to the batch.
    #[error("the link answered {replies} replies to {commands} commands")]
    Malformed {
        /// Commands sent.
        commands: usize,
        /// Replies received.
        replies: usize,
    },
    /// No such reader, or it is in use.
    #[error("the reader cannot be used: {reason}")]
    Unavailable {
        /// The reader service's word for it.
        reason: &'static str,
    },
}

impl LinkError {
    /// The replies that still came if the chip left the field; `None` for any other error.
    #[must_use]
    pub fn into_replies(self) -> Option<Vec<Response>> {
        match self {
            Self::Lost => Some(Vec::new()),
            Self::LostAfter { replies } => Some(replies),
            Self::Malformed { .. } | Self::Unavailable { .. } => None,
        }
    }
}

/// A way to a chip.
pub trait Link {
    /// Sends the batch and returns one reply per command sent.
    ///
    /// # Errors
    /// [`LinkError`] if the chip could not be reached; the session with it is then over.
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError>;
}

/// What a protocol step wants next.
#[derive(Debug)]
pub enum Step<P, T> {
    /// Send this batch and call the next state with its replies.
    Transmit(Batch, P),
    /// The protocol has ended with this result.
    Done(T),
}

/// A protocol in progress: one state per value, consumed by each step, so that an error destroys
/// the state and its keys (STYLE 6).
pub trait Protocol: Sized {
    /// What the protocol yields.
    type Output;
    /// Why it can fail.
    type Error;

    /// Takes the replies to the batch last yielded.
    ///
    /// # Errors
    /// The protocol's own error; the session is over.
    fn step(self, replies: Vec<Response>) -> Result<Step<Self, Self::Output>, Self::Error>;
}

/// Runs `first` and what follows it to the end.
///
/// # Errors
/// The link's error or the protocol's, as `E`.
pub fn drive<P, E>(first: Step<P, P::Output>, link: &mut dyn Link) -> Result<P::Output, E>
where
    P: Protocol,
    E: From<LinkError> + From<P::Error>,
{
    let mut step = first;
    loop {
        step = match step {
            Step::Done(output) => return Ok(output),
            Step::Transmit(batch, next) => next.step(link.transmit(&batch)?)?,
        };
    }
}

/// What went over a link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Traffic {
    /// Commands answered.
    pub apdus: usize,
    /// Batches sent.
    pub round_trips: usize,
    /// Bytes of the commands answered.
    pub bytes_sent: usize,
    /// Bytes of replies, status included.
    pub bytes_received: usize,
}

/// A link that counts what goes over another.
pub struct Counting<L> {
    link: L,
    traffic: Traffic,
}

impl<L: Link> Counting<L> {
    /// Counts from zero.
    pub fn new(link: L) -> Self {
        Self { link, traffic: Traffic::default() }
    }

    /// What went over the link so far.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// The link itself.
    pub fn into_inner(self) -> L {
        self.link
    }
}

impl<L: Link> Link for Counting<L> {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        let replies = self.link.transmit(batch)?;
        let traffic = &mut self.traffic;
        traffic.round_trips = traffic.round_trips.saturating_add(1);
        traffic.apdus = traffic.apdus.saturating_add(replies.len());
        let sent: usize =
            batch.commands.iter().take(replies.len()).map(|command| command.encode().len()).sum();
        traffic.bytes_sent = traffic.bytes_sent.saturating_add(sent);
        let received: usize = replies.iter().map(|reply| reply.encode().len()).sum();
        traffic.bytes_received = traffic.bytes_received.saturating_add(received);
        Ok(replies)
    }
}

/// Sends a batch's commands one by one, as a link to one card does: in order, until a status that
/// the batch does not continue on.
///
/// # Errors
/// Whatever `send` fails with.
pub fn one_by_one<E>(
    batch: &Batch,
    mut send: impl FnMut(&Command) -> Result<Response, E>,
) -> Result<Vec<Response>, E> {
    let mut replies = Vec::with_capacity(batch.commands.len());
    for command in &batch.commands {
        let reply = send(command)?;
        let goes_on = batch.continue_on.contains(&reply.status);
        replies.push(reply);
        if !goes_on {
            break;
        }
    }
    Ok(replies)
}

/// Sends a batch's commands one by one as [`one_by_one`] does, and keeps the replies of a batch in
/// the middle of which the chip left the field.
///
/// # Errors
/// Whatever `send` fails with; [`LinkError::LostAfter`] for [`LinkError::Lost`] after a reply.
pub fn until_lost(
    batch: &Batch,
    mut send: impl FnMut(&Command) -> Result<Response, LinkError>,
) -> Result<Vec<Response>, LinkError> {
    let mut kept = Vec::new();
    let result = one_by_one(batch, |command| {
        let reply = send(command)?;
        kept.push(reply.clone());
        Ok(reply)
    });
    match result {
        Err(LinkError::Lost) if !kept.is_empty() => Err(LinkError::LostAfter { replies: kept }),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_before_the_loss_are_kept() {
        let batch = Batch::new(vec![Command::new(0, 0xB0, 0, 0); 3]);
        let play = |answered: usize| {
            let mut left = answered;
            until_lost(&batch, |_| {
                left = left.checked_sub(1).ok_or(LinkError::Lost)?;
                Ok(Response::status(StatusWord::OK))
            })
        };
        assert_eq!(play(0), Err(LinkError::Lost));
        let replies = vec![Response::status(StatusWord::OK); 2];
        assert_eq!(play(2), Err(LinkError::LostAfter { replies: replies.clone() }));
        assert_eq!(play(2).unwrap_err().into_replies(), Some(replies));
        assert_eq!(play(3).map(|replies| replies.len()), Ok(3));
    }
}
