//! What stays of a reading whose link was lost, for the next session with the same chip
//! (`DESIGN` section 3: after a lost link only what is missing is read).
//!
//! Nothing kept is trusted: it counts only if the chip's EF.SOD is byte for byte the same, and is
//! then judged with the rest by passive authentication. No key outlives its session.

use std::{collections::BTreeMap, fmt};

use super::{
    block::Known,
    plan::{Target, keep_files, kept_whole},
};
use crate::files::{FileId, Files};

/// What is known of a chip from sessions that were cut off.
#[derive(Default)]
pub struct Kept {
    pub(super) files: BTreeMap<FileId, Target>,
    pub(super) known: Known,
    /// PACE has opened the chip: it must not open by less afterwards.
    pub(super) had_pace: bool,
    /// The chip broke off: nothing is tried any more that some chips dislike.
    pub(super) cautious: bool,
    /// Links lost while a long answer was awaited and none had ever come.
    pub(super) lost_on_long: u8,
    /// Links lost when nothing but the answer under the old session keys was still to come.
    pub(super) lost_on_old_keys: u8,
}

/// So many losses on long answers are no accident: the chip claims extended length and fails.
const LOSSES_ON_LONG: u8 = 2;

/// A chip that so often falls silent under its old session keys is asked no more, and its chip
/// authentication stays open: nobody saw the old keys dead.
const LOSSES_ON_OLD_KEYS: u8 = 4;

impl Kept {
    /// Whether it is the link that bears no long answers: it was lost at each of them.
    pub(super) fn link_is_short(&self) -> bool {
        self.lost_on_long >= LOSSES_ON_LONG
    }

    /// Whether the old session keys are still tried after chip authentication.
    pub(super) fn tries_old_keys(&self) -> bool {
        self.lost_on_old_keys < LOSSES_ON_OLD_KEYS
    }

    /// EF.SOD as it was, if it was read whole.
    pub(super) fn security_object(&self) -> Option<&[u8]> {
        kept_whole(&self.files, FileId::Sod)
    }

    /// Files that were read whole before the loss.
    pub(super) fn with_files(mut self, files: &Files) -> Self {
        self.files = keep_files(files);
        let elsewhere = [FileId::CardAccess, FileId::CardSecurity, FileId::AtrInfo];
        self.files.retain(|file, _| !elsewhere.contains(file));
        self
    }

    /// Another loss while a long answer was awaited.
    pub(super) fn count_loss_on_long(&mut self) {
        self.lost_on_long = self.lost_on_long.saturating_add(1);
        self.known.short_only |= self.link_is_short();
    }
}

/// Names only.
impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.files.keys().map(ToString::to_string);
        f.debug_struct("Kept").field("files", &names.collect::<Vec<_>>()).finish_non_exhaustive()
    }
}
