//! Links to smart-card readers of this machine through PC/SC.
//!
//! Nothing depends on the card's ATR. A card that was removed, reset or lost power is
//! [`LinkError::Lost`]; a reader that cannot be used at all is [`LinkError::Unavailable`].

use std::ffi::CString;

use ::pcsc::{Card, Context, Disposition, Error, Protocol, Protocols, Scope, ShareMode};

use crate::{
    apdu::Response,
    link::{Batch, Link, LinkError, until_lost},
    transport::{Transmission, exchange},
};

/// The names of the readers that are connected.
///
/// # Errors
/// [`LinkError::Unavailable`] if no smart-card service runs.
pub fn readers() -> Result<Vec<String>, LinkError> {
    let context = Context::establish(Scope::User).map_err(unavailable)?;
    match context.list_readers_owned() {
        Ok(names) => Ok(names.iter().map(|name| name.to_string_lossy().into_owned()).collect()),
        Err(Error::NoReadersAvailable) => Ok(Vec::new()),
        Err(error) => Err(unavailable(error)),
    }
}

/// A card in a reader, for this process alone; the card is reset when the link is dropped.
pub struct PcscLink {
    card: Option<Card>,
    transmission: Transmission,
}

impl PcscLink {
    /// Connects to the card in the reader called `name`.
    ///
    /// # Errors
    /// [`LinkError::Unavailable`] if there is no such reader, no card in it, or it is in use.
    pub fn connect(name: &str) -> Result<Self, LinkError> {
        let name = CString::new(name).map_err(|_| unavailable(Error::UnknownReader))?;
        let context = Context::establish(Scope::User).map_err(unavailable)?;
        let card =
            context.connect(&name, ShareMode::Exclusive, Protocols::ANY).map_err(unavailable)?;
        let status = card.status2_owned().map_err(unavailable)?;
        let transmission = match status.protocol2() {
            Some(Protocol::T0) => Transmission::Characters,
            _ => Transmission::Blocks,
        };
        Ok(Self { card: Some(card), transmission })
    }
}

impl Link for PcscLink {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        let card = self.card.as_ref().ok_or(LinkError::Lost)?;
        let mut buffer = vec![0; ::pcsc::MAX_BUFFER_SIZE_EXTENDED];
        until_lost(batch, |command| {
            exchange(self.transmission, command, |bytes| {
                card.transmit(bytes, &mut buffer).map(<[u8]>::to_vec).map_err(broken)
            })
        })
    }
}

impl Drop for PcscLink {
    fn drop(&mut self) {
        if let Some(card) = self.card.take()
            && let Err((card, _)) = card.disconnect(Disposition::ResetCard)
        {
            // The card is gone already; dropping it disconnects what is left.
            drop(card);
        }
    }
}

/// An error in the middle of a conversation: the chip is no longer there.
fn broken(error: Error) -> LinkError {
    match error {
        Error::NoService | Error::ServiceStopped | Error::ReaderUnavailable => unavailable(error),
        _ => LinkError::Lost,
    }
}

/// An error before any conversation, in words that name no one.
fn unavailable(error: Error) -> LinkError {
    let reason = match error {
        Error::NoService | Error::ServiceStopped => "the smart-card service does not run",
        Error::UnknownReader | Error::ReaderUnavailable | Error::NoReadersAvailable => {
            "there is no such reader"
        }
        Error::NoSmartcard | Error::RemovedCard => "there is no card in the reader",
        Error::SharingViolation => "another program uses the card",
        Error::UnresponsiveCard | Error::UnpoweredCard => "the card does not answer",
        Error::ProtoMismatch | Error::UnsupportedCard => "the card speaks another protocol",
        _ => "the smart-card service failed",
    };
    LinkError::Unavailable { reason }
}
