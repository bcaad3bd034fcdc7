//! What stands around and recurs on the citizen's pages.

use super::fluent;
use super::texts::Language;
use super::visit::Visit;
use crate::clock::{copenhagen_date, copenhagen_time};
use enroll_core::policy::Idle;
use enroll_core::reason::ReasonCode;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Steps that a person goes through.
const STEPS: u8 = 8;

/// Whether staff sit beside a kiosk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attended(pub(super) bool);

/// Names of the texts for the days of the week.
const WEEKDAYS: [&str; 7] = [
    "weekday-monday",
    "weekday-tuesday",
    "weekday-wednesday",
    "weekday-thursday",
    "weekday-friday",
    "weekday-saturday",
    "weekday-sunday",
];

/// What every page knows: how it is shown, and what it is called.
pub(super) struct Layout {
    pub(super) lang: Language,
    pub(super) large: bool,
    pub(super) contrast: bool,
    pub(super) helper: bool,
    /// On a kiosk: whether staff sit beside it. Nothing elsewhere.
    pub(super) kiosk: Option<Attended>,
    /// When a kiosk clears itself.
    pub(super) idle: Idle,
    /// Name of the title's text.
    pub(super) title: &'static str,
    /// 1 to 8, or 0 for a page that is no step.
    step: u8,
}

impl Layout {
    pub(super) fn of(visit: &Visit, step: u8, title: &'static str) -> Self {
        let Visit { language: lang, large, contrast, helper, idle, .. } = *visit;
        let kiosk = visit.station.as_ref().map(|station| Attended(station.attended));
        // At a kiosk there are fewer steps.
        let step = if kiosk.is_some() { 0 } else { step };
        Self { lang, large, contrast, helper, kiosk, idle, title, step }
    }

    /// The same on a page for staff, whatever else the browser is.
    pub(super) fn of_staff(visit: &Visit, title: &'static str) -> Self {
        Self { kiosk: None, helper: false, ..Self::of(visit, 0, title) }
    }

    /// Whether this is a kiosk with staff beside it.
    pub(super) fn attended(&self) -> bool {
        self.kiosk == Some(Attended(true))
    }

    /// The name of the text for here: one on people's own devices, another at a kiosk.
    pub(super) fn here(&self, own: &'static str, kiosk: &'static str) -> &'static str {
        if self.kiosk.is_some() { kiosk } else { own }
    }

    /// The text `id`.
    pub(super) fn t(&self, id: &str) -> String {
        fluent::text(self.lang, id)
    }

    /// The text `id` with one variable.
    pub(super) fn with(&self, id: &str, name: &'static str, value: impl AsRef<str>) -> String {
        fluent::with(self.lang, id, &[(name, value.as_ref())])
    }

    /// A date of RFC 3339 as it is written in the language: `12.08.1974`, `1974-08-12`.
    pub(super) fn day(&self, date: &str) -> String {
        let mut parts = date.split('-').rev();
        match (self.lang, parts.next(), parts.next(), parts.next()) {
            (Language::Da, Some(day), Some(month), Some(year)) => format!("{day}.{month}.{year}"),
            _ => date.to_owned(),
        }
    }

    /// The date in Copenhagen of a moment.
    pub(super) fn day_of(&self, at: OffsetDateTime) -> String {
        self.day(&copenhagen_date(at).to_string())
    }

    /// The date in Copenhagen of a moment of RFC 3339.
    pub(super) fn issued(&self, moment: &str) -> String {
        match OffsetDateTime::parse(moment, &Rfc3339) {
            Ok(at) => self.day_of(at),
            Err(_) => moment.to_owned(),
        }
    }

    /// Day and time in Copenhagen: `fredag 01.03.2030 kl. 9.00`.
    pub(super) fn moment(&self, at: &OffsetDateTime) -> String {
        let local = copenhagen_time(*at);
        let weekday = WEEKDAYS.get(usize::from(local.weekday().number_days_from_monday()));
        let weekday = self.t(weekday.copied().unwrap_or_default());
        let (day, hour, minute) =
            (self.day(&local.date().to_string()), local.hour(), local.minute());
        let time = self
            .lang
            .pick(&format!("{hour}.{minute:02}"), &format!("{hour:02}:{minute:02}"))
            .to_owned();
        let parts = [("weekday", weekday.as_str()), ("day", day.as_str()), ("time", time.as_str())];
        fluent::with(self.lang, "moment", &parts)
    }

    /// The level of an identity in words.
    pub(super) fn level(&self, level: &str) -> String {
        self.t(if level == "High" { "result-level-high" } else { "result-level-name" })
    }

    /// `Step 3 of 8`, on a page that is one.
    pub(super) fn step(&self) -> Option<String> {
        let (step, steps) = (self.step.to_string(), STEPS.to_string());
        let text = || fluent::with(self.lang, "step-of", &[("step", &step), ("steps", &steps)]);
        (self.step > 0).then(text)
    }
}

/// What was wrong and what to do now.
pub(super) struct Why {
    pub(super) text: String,
    pub(super) next: Option<String>,
    /// The reason's code, for staff; none for what is put right on the page itself.
    pub(super) code: Option<&'static str>,
}

impl Why {
    /// The reason in words (H6).
    pub(super) fn reason(lang: Language, code: ReasonCode) -> Self {
        let entry = code.entry();
        let (text, next) = (lang.text(&entry.text).to_owned(), lang.text(&entry.next).to_owned());
        Self { text, next: Some(next), code: Some(code.as_str()) }
    }

    /// The text `id` of the pages.
    pub(super) fn text(lang: Language, id: &str) -> Self {
        Self { text: fluent::text(lang, id), next: None, code: None }
    }
}
