//! Another PIN for an app, on My page: the old one is counted as the app counts it (F3), the new one follows the
//! rules of any (E9).

use super::super::activate::birth;
use super::super::activity::{Activity, What};
use super::super::tell::{About, Blocks};
use super::super::{App, AppError};
use super::Holder;
use crate::config::Secret;
use crate::notices::Notice;
use enroll_core::pin::Pin;
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use serde_json::json;

/// Another PIN.
#[derive(Deserialize)]
pub struct NewPin {
    /// Of which app.
    pub app: String,
    old: Secret,
    new: Secret,
    again: Secret,
}

impl std::fmt::Debug for NewPin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewPin(…)")
    }
}

impl App {
    /// Changes the PIN of one of the person's apps. They are told.
    ///
    /// # Errors
    /// `my_page.approval`, `pin.weak`, `pin.wrong` and what it leads to, why the app cannot be used;
    /// [`AppError::Malformed`] where the two new ones differ; [`AppError::UnknownCase`].
    pub async fn change_my_pin(&self, holder: &Holder, given: NewPin) -> Result<(), AppError> {
        self.need_fresh(holder)?;
        let app = given.app.parse().map_err(|_| AppError::UnknownCase)?;
        let mut tx = self.parts.store.read().await?;
        let row = tx.authenticator(app).await?.ok_or(AppError::UnknownCase)?;
        if row.identity != holder.identity {
            return Err(AppError::UnknownCase);
        }
        row.state.usable(self.now()).map_err(AppError::Reason)?;
        let (kept, birth) = (tx.pin(app).await?, birth(&mut tx, row.identity).await?);
        drop(tx);
        // What is wrong with the new one costs no try of the old one.
        let new = Pin::choose(given.new.expose(), birth);
        let new = new.map_err(|error| AppError::Reason(error.reason()))?;
        if given.new.expose() != given.again.expose() {
            return Err(AppError::Malformed);
        }
        let right = match Pin::typed(given.old.expose()) {
            Ok(old) => self.fits(kept, old, app).await?,
            Err(_) => false,
        };
        self.count_pin_held(self.hold_my_app(holder, app).await?, right).await?;
        let hashed = self.hashed(new, app).await?;
        let (mut tx, profile, row) = self.hold_my_app(holder, app).await?;
        if !row.state.is_active() {
            return Err(AppError::Reason(ReasonCode::ACTIVATION_STATE));
        }
        tx.put_pin(app, &hashed).await?;
        let about = About::now(Blocks::App(app));
        self.notify(&mut tx, &profile, Notice::PinChanged, about).await?;
        let activity = Activity::of(What::PinChanged).with(app).from(&holder.place);
        self.note(&mut tx, profile.identity, activity).await?;
        let data = json!({ "authenticator": app });
        tx.audit(self.of_identity("pin.changed", profile.identity, data)).await?;
        Ok(tx.commit().await?)
    }
}
