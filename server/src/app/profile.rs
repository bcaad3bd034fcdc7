//! What a person chooses for their identity before its first app: a user ID (E8), and where they are
//! reached (E5, E7).

use super::activity::{Activity, Place, What};
use super::owner::Owner;
use super::set_up::set_up;
use super::tell::{About, Blocks};
use super::{App, AppError};
use crate::ids::IdentityId;
use crate::notices::{Channel, Notice, smtp};
use crate::storage::{Contacts, Profile, Tx};
use enroll_core::reason::ReasonCode;
use enroll_core::user_id::UserId;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A user ID as it is chosen.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUserId {
    /// 5 to 48 characters of `a-zæøå0-9{}!#$^,*()_+-=:;?.@` and inner spaces, in any case.
    #[schema(example = "anna.eriksson")]
    pub user_id: String,
    /// The one that was chosen with this enrolment before, to change it.
    #[serde(default)]
    pub current: Option<String>,
}

impl std::fmt::Debug for NewUserId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewUserId(…)")
    }
}

/// A user ID as it is kept.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ChosenUserId {
    /// 5 to 48 characters of `a-zæøå0-9{}!#$^,*()_+-=:;?.@` and inner spaces, in any case.
    #[schema(example = "anna.eriksson")]
    pub user_id: String,
}

impl std::fmt::Debug for ChosenUserId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChosenUserId(…)")
    }
}

/// Where a person is to be reached.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReach {
    /// Phone number with its country code.
    #[schema(example = "+4512345678")]
    pub phone: Option<String>,
    /// E-mail address.
    #[schema(example = "anna@example.invalid")]
    pub email: Option<String>,
    /// By which of them notices come; by each that is given, if absent.
    pub notices: Option<Vec<Channel>>,
    /// The user ID, to change what was said with this enrolment before.
    #[serde(default)]
    pub user_id: Option<String>,
}

impl std::fmt::Debug for NewReach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewReach(…)")
    }
}

/// Where a person is reached.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// Phone number with its country code.
    #[schema(example = "+4512345678")]
    pub phone: Option<String>,
    /// E-mail address.
    #[schema(example = "anna@example.invalid")]
    pub email: Option<String>,
    /// By which of them notices come; by each that is given, if absent.
    pub notices: Option<Vec<Channel>>,
}

impl std::fmt::Debug for Reach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reach(…)")
    }
}

/// How far a person has come in setting their identity up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    /// There is a user ID: chosen with this enrolment, or of an identity that is in use.
    pub user_id: bool,
    /// There are two addresses, as codes need (E3).
    pub contacts: bool,
    /// The user ID was chosen with this enrolment: what was chosen is changed by who types it.
    pub is_guarded: bool,
}

impl App {
    /// What the owner has chosen so far.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn chosen(&self, owner: Owner) -> Result<Chosen, AppError> {
        let (mut tx, profile) = self.hold(owner.identity).await?;
        let is_guarded = set_up(&profile, owner).chosen;
        let is_kept = is_guarded || is_in_use(&mut tx, owner.identity).await?;
        let details = profile.details;
        let both = |contacts: Contacts| contacts.phone.is_some() && contacts.email.is_some();
        let contacts = details.contacts.is_some_and(both);
        Ok(Chosen { user_id: details.user_id.is_some() && is_kept, contacts, is_guarded })
    }

    /// Gives the identity a user ID. Repeated, it answers the same. Once one is chosen with this enrolment, another
    /// takes its place for who types it. Where the identity is in use its person is told of another one.
    ///
    /// # Errors
    /// `user_id.form`, `user_id.taken`, `identity.blocked`; `user_id.other` and `user_id.tries`; `case.state` and
    /// `activation.window` once the enrolment gives no right to it any more.
    pub async fn choose_user_id(
        &self,
        owner: Owner,
        new: NewUserId,
    ) -> Result<ChosenUserId, AppError> {
        let user_id = UserId::parse(&new.user_id).map_err(|e| AppError::Reason(e.reason()))?;
        let (mut tx, mut profile) = self.hold(owner.identity).await?;
        self.may_set_up(&mut tx, owner, &profile.life).await?;
        let mut known = set_up(&profile, owner);
        if known.chosen {
            // Who sends the kept one anew knows it: the answer may have been lost that changed `current` into it.
            let is_kept = profile.details.user_id.as_deref() == Some(user_id.as_str());
            let current = new.current.as_deref().filter(|_| !is_kept);
            let typed = current.unwrap_or(user_id.as_str());
            tx = self.knows_user_id(tx, &profile, owner, typed).await?;
        } else {
            (known.chosen, known.wrong) = (true, 0);
        }
        let before = profile.details.user_id.as_deref();
        let is_changed = before.is_some_and(|before| before != user_id.as_str());
        if is_changed && is_in_use(&mut tx, owner.identity).await? {
            // Where they are reached: whoever took the identity over would stop its person's log-ins so.
            let about = About::now(Blocks::Identity);
            self.notify(&mut tx, &profile, Notice::UserIdChanged, about).await?;
        }
        profile.details.set_up = Some(known);
        profile.details.user_id = Some(user_id.as_str().to_owned());
        tx.save_profile(&profile).await?;
        self.note(&mut tx, owner.identity, Activity::of(What::UserIdChosen)).await?;
        tx.audit(self.of_identity("user_id.chosen", owner.identity, json!({}))).await?;
        tx.commit().await?;
        Ok(ChosenUserId { user_id: user_id.as_str().to_owned() })
    }

    /// Keeps where the person is reached. Once the identity is in use, a new phone number gets no
    /// codes for a while (E5). Repeated, it answers the same; what was kept since the user ID was chosen is changed
    /// by who types that.
    ///
    /// # Errors
    /// `contact.form`, and as [`App::choose_user_id`].
    pub async fn reach(&self, owner: Owner, new: NewReach) -> Result<Reach, AppError> {
        let (mut tx, mut profile) = self.hold(owner.identity).await?;
        self.may_set_up(&mut tx, owner, &profile.life).await?;
        let NewReach { phone, email, notices, user_id } = new;
        let reach = Reach { phone, email, notices };
        chosen(&reach).ok_or(AppError::Reason(ReasonCode::CONTACT_FORM))?;
        let before = profile.details.contacts.as_ref();
        let is_changed = before.is_some_and(|before| loses(before, &reach));
        if is_changed && set_up(&profile, owner).chosen {
            // Without one nothing was guessed: a page of before the contacts were kept, say.
            let typed = user_id.ok_or(AppError::Reason(ReasonCode::USER_ID_OTHER))?;
            tx = self.knows_user_id(tx, &profile, owner, &typed).await?;
        }
        let kept = self.keep_contacts(&mut tx, &mut profile, reach, &Place::default()).await?;
        tx.commit().await?;
        Ok(kept)
    }

    /// The same in a unit of work that holds the profile and still is to hold itself.
    pub(super) async fn keep_contacts(
        &self,
        tx: &mut Tx,
        profile: &mut Profile,
        reach: Reach,
        place: &Place,
    ) -> Result<Reach, AppError> {
        let chosen = chosen(&reach).ok_or(AppError::Reason(ReasonCode::CONTACT_FORM))?;
        let identity = profile.identity;
        let before = profile.details.contacts.clone();
        // Until there is an app or a code device, a number put right is no change.
        let in_use = is_in_use(tx, identity).await?;
        let phone_changed = match &before {
            Some(before) if before.phone == reach.phone => before.phone_changed,
            Some(_) | None => in_use.then(|| self.now()),
        };
        let (phone, email) = (reach.phone.clone(), reach.email.clone());
        let contacts = Contacts { phone, phone_changed, email, notices: chosen };
        let is_first = before.is_none();
        let changed = before.as_ref().is_some_and(|before| {
            (&before.phone, &before.email) != (&contacts.phone, &contacts.email)
        });
        let new = Reach { notices: Some(contacts.notices.clone()), ..reach };
        if in_use && before.is_some_and(|before| loses(&before, &new)) {
            // Where they were reached until now: whoever took the identity over cannot hide it.
            let about = About::now(Blocks::Identity);
            self.notify(tx, profile, Notice::ContactsChanged, about).await?;
        }
        profile.details.contacts = Some(contacts.clone());
        tx.save_profile(profile).await?;
        if changed {
            self.forget_device_codes(tx, identity).await?;
        }
        let what = if changed || is_first { What::ContactsChanged } else { What::NoticesChanged };
        self.note(tx, identity, Activity::of(what).from(place)).await?;
        let data = json!({ "changed": changed });
        tx.audit(self.of_identity("contacts.kept", identity, data)).await?;
        Ok(Reach { phone: contacts.phone, email: contacts.email, notices: Some(contacts.notices) })
    }
}

/// Whether there is or was an app or a code device. A password is there from the first code device on, whatever has
/// been said of it since.
async fn is_in_use(tx: &mut Tx, identity: IdentityId) -> Result<bool, AppError> {
    let apps = tx.authenticators(identity).await?;
    Ok(apps.iter().any(|app| app.state.was_active()) || tx.password(identity).await?.is_some())
}

/// Whether something of `before` is lost with `new`: an address, or a channel for notices. Whoever took the identity
/// over would begin with that.
pub(super) fn loses(before: &Contacts, new: &Reach) -> bool {
    let is_wanted = |channel| new.notices.as_ref().is_none_or(|wanted| wanted.contains(channel));
    (&before.phone, &before.email) != (&new.phone, &new.email)
        || !before.notices.iter().all(is_wanted)
}

/// The channels for notices, if `reach` makes sense: each address is one, and each channel chosen,
/// at least one, has its address.
fn chosen(reach: &Reach) -> Option<Vec<Channel>> {
    let phone = reach.phone.as_deref();
    let email = reach.email.as_deref();
    if !phone.is_none_or(is_phone) || !email.is_none_or(is_email) {
        return None;
    }
    let given: Vec<Channel> = [phone.map(|_| Channel::Sms), email.map(|_| Channel::Email)]
        .into_iter()
        .flatten()
        .collect();
    let wanted = reach.notices.as_ref().unwrap_or(&given);
    let chosen: Vec<Channel> = given.iter().copied().filter(|c| wanted.contains(c)).collect();
    let all_given = wanted.iter().all(|channel| given.contains(channel));
    (all_given && !chosen.is_empty()).then_some(chosen)
}

/// `+`, then 7 to 15 digits that begin with the country code (ITU-T E.164).
fn is_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

/// Not longer than a mail server takes (RFC 5321 §4.5.3.1.3).
fn is_email(text: &str) -> bool {
    text.len() <= 254 && text.is_ascii() && smtp::is_address(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(phone: Option<&str>, email: Option<&str>, notices: Option<&[Channel]>) -> Reach {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Reach { phone: owned(phone), email: owned(email), notices: notices.map(<[_]>::to_vec) }
    }

    #[test]
    fn addresses_are_addresses() {
        for good in ["+4512345678", "+12025550123"] {
            assert!(is_phone(good), "{good}");
        }
        for bad in
            ["", "+", "12345678", "+45 12345678", "+0512345678", "+123456", "+1234567890123456"]
        {
            assert!(!is_phone(bad), "{bad}");
        }
        assert!(is_email("anna@example.invalid"));
        let long = format!("{}@example.invalid", "a".repeat(250));
        for bad in ["", "anna", "a@b\r\nBcc: x@y", "Anna <a@b.dk>", "a b@c.dk", &long] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn notices_come_by_channels_that_have_an_address() {
        let (sms, email) = (Channel::Sms, Channel::Email);
        let both = reach(Some("+4512345678"), Some("a@b.dk"), None);
        assert_eq!(chosen(&both), Some(vec![sms, email]));
        let one = reach(Some("+4512345678"), Some("a@b.dk"), Some(&[email]));
        assert_eq!(chosen(&one), Some(vec![email]));
        for bad in [
            reach(None, None, None),
            reach(Some("+4512345678"), None, Some(&[email])),
            reach(Some("+4512345678"), None, Some(&[])),
            reach(Some("1"), Some("a@b.dk"), None),
        ] {
            assert_eq!(chosen(&bad), None);
        }
    }
}
