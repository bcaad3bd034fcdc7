//! A session and the files that are being fetched through it.

use super::{
    Opened, ReadError,
    block::Block,
    open,
    plan::{Plan, Purpose},
};
use crate::{
    apdu::{Command, Response, StatusWord},
    link::Batch,
    sm::SecureMessaging,
};

/// A session, what is to be read in it, and what was asked for last.
pub(super) struct Fetch {
    pub(super) session: SecureMessaging,
    pub(super) plan: Plan,
    sent: Vec<Purpose>,
}

impl Fetch {
    pub(super) fn new(session: SecureMessaging, plan: Plan) -> Self {
        Self { session, plan, sent: Vec::new() }
    }

    /// The batch of `planned` commands; what they are for is remembered.
    pub(super) fn send(
        mut self,
        planned: Vec<(Command, Purpose)>,
    ) -> Result<(Batch, Self), ReadError> {
        let (commands, purposes): (Vec<_>, Vec<_>) = planned.into_iter().unzip();
        let batch = Batch::new(self.session.wrap_all(&commands)?)
            .continue_on(StatusWord::END_OF_FILE)
            .continue_on(StatusWord::NOT_FOUND);
        self.sent = purposes;
        Ok((batch, self))
    }

    /// Takes the replies to the last batch.
    ///
    /// # Errors
    /// [`Broken`]: what ended the session, and the block that it ended with.
    pub(super) fn take(mut self, replies: &[Response]) -> Result<Self, Broken> {
        match open(self.session, self.sent.len(), replies) {
            Ok(Opened { replies, session }) => {
                let taken = self.plan.take_all(&self.sent, &replies);
                match (taken, session) {
                    (Ok(()), Ok(session)) => Ok(Self { session, ..self }),
                    (_, Err(error)) => Err(Broken { error: error.into(), block: self.plan.block }),
                    (Err(error), _) => Err(Broken { error, block: self.plan.block }),
                }
            }
            Err(error) => Err(Broken { error, block: self.plan.block }),
        }
    }

    /// The plan with what a broken-off batch still brought.
    pub(super) fn into_plan(mut self, replies: &[Response]) -> Plan {
        if let Ok(Opened { replies, .. }) = open(self.session, self.sent.len(), replies) {
            // The link is gone: what these replies say of errors no longer matters.
            let _ = self.plan.take_all(&self.sent, &replies);
        }
        self.plan
    }
}

/// A session that ended, and the block that it ended with.
pub(super) struct Broken {
    pub(super) error: ReadError,
    pub(super) block: Block,
}
