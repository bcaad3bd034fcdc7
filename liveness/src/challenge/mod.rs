//! The active challenge: the server draws what the head does and what the screen shows, and judges
//! frames that a client took meanwhile (REQUIREMENTS D3).
//!
//! A [`Script`] is drawn from a seed; a [`Nonce`] binds the frames to it, to each other and to their
//! times (`chain`). [`Engine::judge_challenge`] then looks at what the frames show: does the head
//! turn as asked and when asked, has it the relief of a head (`turns`, `relief`, `follow`), does the light on
//! the skin follow the screen's (`colour`), is it one person in one scene, without a jump (`still`)?
//!
//! It trusts nothing of the upload. What it cannot tell is a camera from a program that renders a
//! face so fast and so well that all this holds: that takes an attested device.
//!
//! [`Engine::judge_challenge`]: crate::Engine::judge_challenge

mod chain;
mod colour;
mod follow;
mod judge;
mod limits;
mod random;
mod refusal;
mod relief;
mod script;
mod sight;
mod still;
mod turns;

pub use chain::{Frame, Nonce};
pub use colour::ColourEvidence;
pub use follow::Followed;
pub use judge::{Arrival, Evidence, Judgement, Kept};
pub(crate) use limits::Limits;
pub use refusal::Refusal;
pub use relief::Relief;
pub use script::{Colour, Direction, Flash, Script, Turn};
pub use still::StillEvidence;
pub use turns::{PathEvidence, TurnEvidence};
