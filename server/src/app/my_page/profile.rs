//! Where the person is reached, what they are told of, and their language.

use super::super::activity::{Activity, What};
use super::super::profile::{Reach, loses};
use super::super::tell::{About, Blocks};
use super::super::{App, AppError};
use super::Holder;
use crate::notices::{Channel, Notice};
use crate::storage::{Details, Tx};
use enroll_core::reason::ReasonCode;
use serde::Serialize;
use serde_json::json;
use time::Duration;

/// Who the person is here, and how they are reached.
#[derive(Serialize, utoipa::ToSchema)]
pub struct MyProfile {
    /// The user ID.
    pub user_id: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// By which of them notices come.
    pub notices: Vec<Channel>,
    /// Whether each log-in is told (M3).
    pub log_in_notices: bool,
    /// The language of the person's pages: `da` or `en`, if they chose one.
    pub language: Option<String>,
}

impl std::fmt::Debug for MyProfile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MyProfile(…)")
    }
}

impl MyProfile {
    pub(super) fn of(details: &Details) -> Self {
        let contacts = details.contacts.as_ref();
        Self {
            user_id: details.user_id.clone(),
            phone: contacts.and_then(|contacts| contacts.phone.clone()),
            email: contacts.and_then(|contacts| contacts.email.clone()),
            notices: contacts.map(|contacts| contacts.notices.clone()).unwrap_or_default(),
            log_in_notices: details.log_in_notices,
            language: details.language.clone(),
        }
    }
}

/// What the person changes.
pub struct NewProfile {
    /// Where they are reached, and by what notices come.
    pub reach: Reach,
    /// Whether each log-in is told.
    pub log_in_notices: bool,
    /// `da` or `en`.
    pub language: Option<String>,
}

impl std::fmt::Debug for NewProfile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewProfile(…)")
    }
}

impl App {
    /// Who the person is here.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn my_profile(&self, holder: &Holder) -> Result<MyProfile, AppError> {
        let mut tx = self.parts.store.read().await?;
        let profile = tx.seen_profile(holder.identity).await?;
        Ok(MyProfile::of(&profile.details))
    }

    /// Changes it. Other contacts, and notices that come no more, need a fresh approval, are not taken in the
    /// first hour of a new app or code device, and are told where the person was reached until then (E7, M3); a new phone number
    /// gets no codes for a while (E5).
    ///
    /// # Errors
    /// `contact.form`; `my_page.approval` and `contact.new_app` for other contacts and fewer notices.
    pub async fn change_my_profile(
        &self,
        holder: &Holder,
        new: NewProfile,
    ) -> Result<MyProfile, AppError> {
        let NewProfile { reach, log_in_notices, language } = new;
        if !matches!(language.as_deref(), None | Some("da" | "en")) {
            return Err(AppError::Malformed);
        }
        let (mut tx, mut profile) = self.hold_mine(holder).await?;
        let before = profile.details.clone();
        let known =
            before.contacts.as_ref().map(|c| (c.phone.clone(), c.email.clone(), c.notices.clone()));
        let lost = before.contacts.as_ref().is_none_or(|contacts| loses(contacts, &reach));
        let untold = before.log_in_notices && !log_in_notices;
        if lost || untold {
            self.need_fresh(holder)?;
            self.no_new_means(&mut tx, holder).await?;
        }
        if untold && !lost {
            // Lost contacts are told where they are kept.
            let about = About::now(Blocks::Identity);
            self.notify(&mut tx, &profile, Notice::ContactsChanged, about).await?;
        }
        profile.details.log_in_notices = log_in_notices;
        profile.details.language = language;
        let same_reach = known.is_some_and(|(phone, email, notices)| {
            (phone, email, Some(notices))
                == (reach.phone.clone(), reach.email.clone(), reach.notices.clone())
        });
        if !same_reach {
            self.keep_contacts(&mut tx, &mut profile, reach, &holder.place).await?;
        } else if profile.details != before {
            tx.save_profile(&profile).await?;
            let activity = Activity::of(What::NoticesChanged).from(&holder.place);
            self.note(&mut tx, profile.identity, activity).await?;
            tx.audit(self.of_identity("notices.chosen", profile.identity, json!({}))).await?;
        }
        tx.commit().await?;
        Ok(MyProfile::of(&profile.details))
    }

    /// That the person got no new app and no code device was activated in the last hour (M2): whoever made one
    /// of theirs does not change where they are told of it.
    async fn no_new_means(&self, tx: &mut Tx, holder: &Holder) -> Result<(), AppError> {
        let rest = Duration::seconds(i64::from(self.policy.my_page.new_app_s));
        let apps = tx.authenticators(holder.identity).await?;
        let apps = apps.iter().filter_map(|app| app.state.activated());
        let devices = tx.code_devices(holder.identity).await?;
        let active = devices.iter().filter(|device| device.state.is_active());
        let devices = active.filter_map(|device| device.state.since());
        let is_new = apps.chain(devices).any(|at| self.now() < at + rest);
        if is_new { Err(AppError::Reason(ReasonCode::CONTACT_NEW_APP)) } else { Ok(()) }
    }
}
