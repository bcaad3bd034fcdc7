//! Why a capture is refused. Outwards all but one are `face.challenge`: which one it was, is
//! evidence, and no help for who tries.

use serde::Serialize;

/// The reason, for the record.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Refusal {
    /// Fewer frames than can be judged.
    TooFewFrames,
    /// More frames than may be.
    TooManyFrames,
    /// A number is left out.
    FrameMissing {
        /// Which.
        number: u32,
    },
    /// A number comes again or too late.
    OutOfOrder {
        /// The place in the upload.
        number: u32,
    },
    /// A tag is not that of this nonce, picture, time and frame before.
    NotBound {
        /// The frame.
        number: u32,
    },
    /// A frame is no later than that before it.
    TimeGoesBack {
        /// The frame.
        number: u32,
    },
    /// Too long between two frames.
    Gap {
        /// The second of them.
        number: u32,
    },
    /// The frames end before the script, or long after it.
    NotTheWholeScript,
    /// The frames arrived before the script can have been played.
    TooEarly,
    /// The frames arrived late.
    Late,
    /// Two frames are the same file.
    Repeated,
    /// A frame is no picture, or of another size than the first.
    Unreadable {
        /// The frame.
        number: u32,
    },
    /// No face in too many frames.
    NoFace,
    /// Several faces in a frame.
    SeveralFaces {
        /// The frame.
        number: u32,
    },
    /// A network failed, or gave what is no number.
    Model,
    /// Two frames are one picture.
    Frozen {
        /// The second of them.
        number: u32,
    },
    /// The face is elsewhere, larger, smaller or turned from one frame to the next.
    Jump {
        /// The second of them.
        number: u32,
    },
    /// What is around the face changes from one frame to the next.
    SceneJump {
        /// The second of them.
        number: u32,
    },
    /// Another person in another part of the capture.
    AnotherPerson,
    /// The head did not turn as asked.
    NotTurned {
        /// Which turn.
        turn: u32,
    },
    /// The head was not straight when it was to be.
    NotStraight {
        /// After which turn; 0 is before the first.
        turn: u32,
    },
    /// The head moves, but not in the script's time.
    OutOfStep,
    /// What turned is flat, or bent or folded like a sheet.
    Flat {
        /// In which turn.
        turn: u32,
    },
    /// Too few points of the face could be followed while it turned.
    NotFollowed {
        /// In which turn.
        turn: u32,
    },
    /// No background beside the face to compare its light with.
    NoBackground,
    /// The light on the face does not follow the screen.
    NotTheScreensLight,
}

impl Refusal {
    /// The stable reason code.
    pub fn code(self) -> &'static str {
        match self {
            Refusal::Model => "face.model",
            _ => "face.challenge",
        }
    }
}
