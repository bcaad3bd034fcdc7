//! The emulated chip as a link: in process, and as the reader of a relay client.

use fixtures::chip::Chip;
use nfc::{
    apdu::Response,
    link::{Batch, Link, LinkError, until_lost},
};
use server::{
    relay::wire::{Hello, LinkKind},
    relay_client::Reader,
};

/// A chip in the field.
pub struct ChipLink(pub Chip);

impl Link for ChipLink {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        until_lost(batch, |command| {
            // The chip answers nothing once it was torn away.
            Response::decode(&self.0.transmit(&command.encode())).map_err(|_| LinkError::Lost)
        })
    }
}

impl Reader for ChipLink {
    fn start(&mut self) -> Result<Hello, LinkError> {
        self.0.reset();
        Ok(Hello {
            version: 1,
            link: LinkKind::Nfc,
            max_command: 261,
            max_response: 65_538,
            extended_length: true,
        })
    }
}
