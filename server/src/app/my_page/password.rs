//! Another password beside one's code devices, on My page: the one before is counted as at a log-in (G6), the new one
//! follows the rules of any.

use super::super::code_device::ChangedPassword;
use super::super::{App, AppError};
use super::Holder;
use crate::config::Secret;
use serde::Deserialize;

/// Another password.
#[derive(Deserialize)]
pub struct NewPassword {
    old: Secret,
    new: Secret,
    again: Secret,
}

impl std::fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

impl App {
    /// Whether the person has a password.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn has_password(&self, holder: &Holder) -> Result<bool, AppError> {
        let mut tx = self.parts.store.read().await?;
        Ok(tx.password(holder.identity).await?.is_some())
    }

    /// Changes the person's password. They are told.
    ///
    /// # Errors
    /// `my_page.approval`, `password.weak`; `password.wrong`, which counts as a wrong try at a log-in does;
    /// [`AppError::Malformed`] where the two new ones differ; [`AppError::Unauthorized`] where the session is over.
    pub async fn change_my_password(
        &self,
        holder: &Holder,
        given: NewPassword,
    ) -> Result<(), AppError> {
        self.need_fresh(holder)?;
        let NewPassword { old, new, again } = given;
        // What is wrong with the new one costs no try of the old one.
        if new.expose() != again.expose() {
            return Err(AppError::Malformed);
        }
        let given = ChangedPassword { old, new };
        let weighed = self.weigh(self.hold_mine(holder).await?, &given).await?;
        self.put_weighed(self.hold_mine(holder).await?, weighed, &holder.place).await
    }
}
