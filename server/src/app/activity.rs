//! What has happened to an identity, for its person to read (F5, GDPR article 15): written in the unit of work
//! in which it happens, kept for `policy.my_page.activity_days`, and erased with the identity.
//!
//! Of where a request came from only the network is kept, coarsened so that it names a provider and no home; it
//! is sealed with the rest and never logged. The trail (H1) is another thing: it proves, and this tells.

use super::{App, AppError};
use crate::ids::{ActivityId, IdentityId};
use crate::storage::{KeptActivity, LogInRow, StorageError, Tx};
use enroll_core::life::{Actor, Happened};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use time::{Duration, OffsetDateTime};

/// Where a request came from: the network of its address, of IPv4 the first 16 bits, of IPv6 the first 32.
/// Nothing where no address is known that a provider gave. Personal data: `Debug` shows none of it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Place(Option<String>);

impl Place {
    /// What was kept of another request.
    pub(super) fn kept(network: Option<String>) -> Self {
        Self(network)
    }

    fn is_unknown(&self) -> bool {
        self.0.is_none()
    }

    /// What is kept of it.
    #[must_use]
    pub fn network(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Of a request from `address`. One that is no global unicast address names no provider: many have the same,
    /// among them all who come through a proxy that is not believed.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, ..] = address.octets();
                is_global_v4(address).then(|| format!("{a}.{b}.0.0/16"))
            }
            IpAddr::V6(address) => {
                let [a, b, ..] = address.segments();
                is_global_v6(address).then(|| format!("{a:x}:{b:x}::/32"))
            }
        })
    }
}

/// Not of this network (RFC 1122 §3.2.1.3), private (RFC 1918 §3), shared (RFC 6598 §7), loopback, link-local
/// (RFC 3927 §2.1), multicast or reserved (RFC 1112 §4).
fn is_global_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let is_shared = a == 100 && b & 0xc0 == 64;
    let is_local = address.is_private() || address.is_link_local() || address.is_loopback();
    (1..224).contains(&a) && !is_shared && !is_local
}

/// Of 2000::/3 (RFC 4291 §2.4), and so no translated 64:ff9b::/96 (RFC 6052 §2.1), but not of 2001::/32, which is
/// all of Teredo (RFC 4380 §2.6).
fn is_global_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    a & 0xe000 == 0x2000 && (a, b) != (0x2001, 0)
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place(…)")
    }
}

/// What activities are filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Log-ins, also those refused, stopped or tried.
    LogIn,
    /// Apps and their PINs, code devices and the password.
    Means,
    /// User ID, contacts, notices.
    Profile,
    /// The identity itself.
    Identity,
    /// Somebody else looked, or a register told something.
    Look,
}

impl Kind {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 5] =
        [Self::LogIn, Self::Means, Self::Profile, Self::Identity, Self::Look];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LogIn => "log_in",
            Self::Means => "means",
            Self::Profile => "profile",
            Self::Identity => "identity",
            Self::Look => "look",
        }
    }
}

impl FromStr for Kind {
    type Err = AppError;

    fn from_str(text: &str) -> Result<Self, AppError> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or(AppError::Malformed)
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A log-in was approved.
    LogInApproved,
    /// A log-in was refused in the app.
    LogInRefused,
    /// A log-in was stopped; `detail` is the reason's code.
    LogInStopped,
    /// The page of a log-in was left after the app had read it.
    LogInLeft,
    /// A relying party asked for an approval by itself.
    LogInAsked,
    /// A relying party compared a personal number with the person's.
    NumberCompared,
    /// My page was opened from the app.
    MyPageOpened,
    /// A PIN was wrong.
    PinWrong,
    /// An app was registered, and codes were sent.
    AppRegistered,
    /// An app was activated.
    AppActivated,
    /// An app was made of another one.
    AppCopied,
    /// An app was blocked.
    AppBlocked,
    /// An app was locked by wrong PINs.
    AppLocked,
    /// A blocked app was opened again.
    AppReopened,
    /// The PIN of an app was changed.
    PinChanged,
    /// Codes were sent anew.
    CodesSent,
    /// A user ID was chosen.
    UserIdChosen,
    /// Phone number or e-mail were changed.
    ContactsChanged,
    /// Other notices were chosen, or another language.
    NoticesChanged,
    /// All that is kept was shown or fetched.
    Exported,
    /// The identity was issued, for the first time or again.
    IdentityIssued,
    /// The identity was blocked.
    IdentityBlocked,
    /// The identity was opened again.
    IdentityReopened,
    /// A code device was ordered.
    CodeDeviceOrdered,
    /// The order of a code device was called off.
    CodeDeviceOrderOff,
    /// A code device was handed out.
    CodeDeviceHandedOut,
    /// A code device was activated, and a password chosen.
    CodeDeviceActivated,
    /// A code device was blocked.
    CodeDeviceBlocked,
    /// A code device was said to be lost.
    CodeDeviceLost,
    /// A code device was found or opened again.
    CodeDeviceBack,
    /// Password and codes were wrong too often, and rest.
    CodesRest,
    /// The password was changed.
    PasswordChanged,
    /// Somebody else looked at a case or at the means.
    Looked,
    /// A register told something.
    RegisterTold,
}

impl What {
    /// What it is filtered by.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::LogInApproved
            | Self::LogInRefused
            | Self::LogInStopped
            | Self::LogInLeft
            | Self::LogInAsked
            | Self::NumberCompared
            | Self::MyPageOpened
            | Self::PinWrong
            | Self::CodesRest => Kind::LogIn,
            Self::AppRegistered
            | Self::AppActivated
            | Self::AppCopied
            | Self::AppBlocked
            | Self::AppLocked
            | Self::AppReopened
            | Self::PinChanged
            | Self::CodesSent
            | Self::CodeDeviceOrdered
            | Self::CodeDeviceOrderOff
            | Self::CodeDeviceHandedOut
            | Self::CodeDeviceActivated
            | Self::CodeDeviceBlocked
            | Self::CodeDeviceLost
            | Self::CodeDeviceBack
            | Self::PasswordChanged => Kind::Means,
            Self::UserIdChosen | Self::ContactsChanged | Self::NoticesChanged | Self::Exported => {
                Kind::Profile
            }
            Self::IdentityIssued | Self::IdentityBlocked | Self::IdentityReopened => Kind::Identity,
            Self::Looked | Self::RegisterTold => Kind::Look,
        }
    }
}

/// Who did it, where it was not the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Whoever had the code of a notice.
    Notice,
    /// An officer of a Borgercenter, by name.
    Officer(String),
    /// Somebody of support, by name.
    Support(String),
    /// A register: what it told.
    #[schema(value_type = String)]
    Register(Happened),
}

impl By {
    /// The one who acts, if it is not the person.
    pub(super) fn of(actor: &Actor) -> Option<Self> {
        match actor {
            Actor::Holder => None,
            Actor::Notice => Some(Self::Notice),
            Actor::Officer { officer } => Some(Self::Officer(officer.clone())),
            Actor::Register { event } => Some(Self::Register(*event)),
        }
    }
}

/// One thing that happened. Personal data: `Debug` shows what alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Activity {
    what: What,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    /// The identifier of an app or of a code device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    means: Option<String>,
    #[serde(default)]
    place: Place,
    /// Of a log-in, where its browser was.
    #[serde(default, skip_serializing_if = "Place::is_unknown")]
    begun: Place,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<By>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl fmt::Debug for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Activity({:?})", self.what)
    }
}

impl Activity {
    pub(super) fn of(what: What) -> Self {
        let (place, begun) = (Place(None), Place(None));
        Self { what, service: None, means: None, place, begun, by: None, detail: None }
    }

    /// At which service, by its name.
    pub(super) fn at(self, service: &str) -> Self {
        Self { service: Some(service.to_owned()), ..self }
    }

    /// With or of which app or code device, by its identifier.
    pub(super) fn with(self, means: impl fmt::Display) -> Self {
        Self { means: Some(means.to_string()), ..self }
    }

    pub(super) fn from(self, place: &Place) -> Self {
        Self { place: place.clone(), ..self }
    }

    /// Of a log-in, with where the browser was in which it began.
    pub(super) fn begun(self, row: &LogInRow) -> Self {
        Self { begun: Place(row.network.clone()), ..self }
    }

    pub(super) fn by(self, by: Option<By>) -> Self {
        Self { by, ..self }
    }

    /// A stable code that says more.
    pub(super) fn because(self, detail: &str) -> Self {
        Self { detail: Some(detail.to_owned()), ..self }
    }
}

/// An activity as its person sees it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ActivityView {
    /// Which.
    #[schema(value_type = String)]
    pub id: ActivityId,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub at: OffsetDateTime,
    /// What it is filtered by.
    pub kind: Kind,
    /// What happened.
    pub what: What,
    /// At which service.
    #[schema(example = "Netbanken")]
    pub service: Option<String>,
    /// With or of which app or code device, by its identifier.
    pub means: Option<String>,
    /// From which network: an IPv4 network of 16 bits or an IPv6 network of 32. Nothing where it is not known.
    #[schema(example = "192.0.0.0/16")]
    pub place: Option<String>,
    /// Of a log-in, from which network the browser came in which it began, in the same form.
    #[schema(example = "192.0.0.0/16")]
    pub begun: Option<String>,
    /// Who did it, where it was not the person.
    pub by: Option<By>,
    /// A stable code that says more: of a reason.
    pub detail: Option<String>,
}

impl fmt::Debug for ActivityView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActivityView({:?})", self.what)
    }
}

impl ActivityView {
    fn of(kept: &KeptActivity) -> Result<Self, AppError> {
        let impossible = StorageError::ImpossibleRow { table: "activities", column: "sealed" };
        let activity: Activity = serde_json::from_slice(&kept.payload).map_err(|_| impossible)?;
        let Activity { what, service, means, place: Place(place), begun, by, detail } = activity;
        let (id, at, kind, Place(begun)) = (kept.id, kept.moment()?, what.kind(), begun);
        Ok(Self { id, at, kind, what, service, means, place, begun, by, detail })
    }
}

/// Where a page of activities ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    at: i64,
    id: ActivityId,
}

impl fmt::Display for Before {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at, self.id)
    }
}

impl FromStr for Before {
    type Err = AppError;

    fn from_str(text: &str) -> Result<Self, AppError> {
        let (at, id) = text.split_once('.').ok_or(AppError::Malformed)?;
        let at = at.parse().map_err(|_| AppError::Malformed)?;
        Ok(Self { at, id: id.parse().map_err(|_| AppError::Malformed)? })
    }
}

/// A page of activities, newest first.
#[derive(Debug)]
pub struct Activities {
    /// Those on it.
    pub activities: Vec<ActivityView>,
    /// Where it ends, if there are older ones.
    pub next: Option<Before>,
}

/// How many approved log-ins of a person a network is compared with.
const COMPARED: usize = 50;
/// Among how many activities they are looked for at most, so many at a time.
const LOOKED_THROUGH: usize = 1000;
const AT_A_TIME: usize = 100;
/// How old an approval must be to make its network known: one that a thief got makes the next one no easier that day.
const KNOWN_AFTER: Duration = Duration::DAY;

impl App {
    /// Keeps what has happened to `identity`, for its person.
    pub(super) async fn note(
        &self,
        tx: &mut Tx,
        identity: IdentityId,
        activity: Activity,
    ) -> Result<(), AppError> {
        let payload = serde_json::to_vec(&activity).map_err(AppError::internal)?;
        let kind = activity.what.kind().as_str();
        Ok(tx.add_activity(identity, (kind, &payload), self.now()).await?)
    }

    /// Whether no log-in began in `network` among the newest that a person approved a day ago or before. False where
    /// they have approved none to compare with; true where none are found among all that is looked through.
    pub(super) async fn is_new_network(
        &self,
        tx: &mut Tx,
        identity: IdentityId,
        network: &str,
    ) -> Result<bool, AppError> {
        let (known, mut compared, mut before) = (self.now() - KNOWN_AFTER, 0, None);
        for _ in 0..LOOKED_THROUGH / AT_A_TIME {
            let log_ins = (Some(Kind::LogIn), before);
            let (rows, next) = self.activity_rows(tx, identity, log_ins, AT_A_TIME).await?;
            // One that cannot be read (of a newer server) compares with nothing, and stops no log-in.
            let read = rows.iter().filter_map(|row| ActivityView::of(row).ok());
            let approved = read.filter(|one| one.what == What::LogInApproved && one.at <= known);
            for begun in approved.filter_map(|one| one.begun) {
                compared += 1;
                if begun == network || compared == COMPARED {
                    return Ok(begun != network);
                }
            }
            before = next;
            if before.is_none() {
                return Ok(compared > 0);
            }
        }
        Ok(true)
    }

    /// The activities of an identity, newest first, at most `most` on a page.
    pub(super) async fn activities_of(
        &self,
        tx: &mut Tx,
        identity: IdentityId,
        from: (Option<Kind>, Option<Before>),
        most: usize,
    ) -> Result<Activities, AppError> {
        let (found, next) = self.activity_rows(tx, identity, from, most).await?;
        let activities = found.iter().map(ActivityView::of).collect::<Result<_, _>>()?;
        Ok(Activities { activities, next })
    }

    /// The rows of a page of activities, and where the next one begins.
    async fn activity_rows(
        &self,
        tx: &mut Tx,
        identity: IdentityId,
        (kind, before): (Option<Kind>, Option<Before>),
        most: usize,
    ) -> Result<(Vec<KeptActivity>, Option<Before>), AppError> {
        let before = before.map(|before| (before.at, before.id));
        let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
        let kind = kind.map(Kind::as_str);
        let mut found = tx.activities(identity, kind, before, limit).await?;
        let is_more = found.len() > most;
        found.truncate(most);
        let last = found.last().filter(|_| is_more);
        let next = last.map(|last| Before { at: last.at, id: last.id });
        Ok((found, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves F5 (no more of an address is kept than its network)
    #[test]
    fn of_an_address_only_the_network_is_kept() {
        for (address, place) in [
            ("203.0.113.77", "203.0.0.0/16"),
            ("::ffff:203.0.113.77", "203.0.0.0/16"),
            ("2001:db8:1234:5678::9", "2001:db8::/32"),
        ] {
            let found = Place::of(address.parse().unwrap());
            assert_eq!(found.0.as_deref(), Some(place));
            assert_eq!(format!("{found:?}"), "Place(…)");
        }
    }

    // proves G2 (where it began is shown)
    #[test]
    fn an_address_that_no_provider_gave_names_no_network() {
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.1.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "224.0.0.1",
            "255.255.255.255",
            "::ffff:10.0.0.1",
            "::",
            "::1",
            "64:ff9b::203.0.113.77",
            "2001::1",
            "fd00::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert_eq!(Place::of(address.parse().unwrap()).network(), None, "{address}");
        }
        for address in ["1.1.1.1", "100.63.0.1", "100.128.0.1", "172.32.0.1", "2001:1::1"] {
            assert!(Place::of(address.parse().unwrap()).network().is_some(), "{address}");
        }
    }

    #[test]
    fn what_is_kept_reads_back() {
        let app = crate::ids::AuthenticatorId::random(&crate::clock::SystemEntropy).unwrap();
        let place = Place::of("203.0.113.77".parse().unwrap());
        let kept = Activity::of(What::LogInStopped).at("Netbanken").with(app).from(&place);
        let kept = kept.by(Some(By::Officer("bc-17".to_owned()))).because("log_in.level");
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<Activity>(&text).unwrap(), kept);
        let bare: Activity = serde_json::from_str(r#"{"what":"app_blocked"}"#).unwrap();
        assert_eq!(bare, Activity::of(What::AppBlocked));
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse::<Kind>().unwrap(), kind);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
