//! A reading until it is done or the link is lost, as a person has it who moves the passport.

use nfc::{
    link::{Link, Protocol as _, Step},
    reader::{ChipReading, Kept, ReadError, ReadPassport},
};

pub(crate) enum Turn {
    Read(Box<ChipReading>),
    Lost(Kept),
}

pub(crate) fn turn(
    mut step: Step<ReadPassport, ChipReading>,
    link: &mut dyn Link,
) -> Result<Turn, ReadError> {
    loop {
        let (batch, state) = match step {
            Step::Done(reading) => return Ok(Turn::Read(Box::new(reading))),
            Step::Transmit(batch, state) => (batch, state),
        };
        step = match link.transmit(&batch) {
            Ok(replies) => state.step(replies)?,
            Err(error) => {
                let replies = error.clone().into_replies().ok_or(error)?;
                return Ok(Turn::Lost(state.link_lost(replies)));
            }
        };
    }
}
