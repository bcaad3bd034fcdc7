//! Somebody who enrols, and does not give up: after whatever broke off they look where their case
//! stands and go on from there, as the pages tell people to.

use super::disturb::Disturbance;
use enroll_core::device_key::Purpose;
use indrul_tests::citizen::{CitizenError, Enrolment, Method};
use indrul_tests::device::Device;
use indrul_tests::hostile::Dice;
use indrul_tests::letters::Letters;
use indrul_tests::people::Person;
use indrul_tests::served::Database;
use serde_json::{Value, json};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// Where somebody's enrolment is disturbed: so long after a step was begun.
#[derive(Debug)]
pub struct Point {
    pub what: Disturbance,
    pub after: Duration,
    /// For how long, if it is no kill.
    pub how: Duration,
}

/// What became of somebody.
#[derive(Debug)]
pub struct End {
    /// The identity they were told of.
    pub identity: String,
    /// Every case they started and know of, with how it ended if it ended without an identity.
    pub cases: Vec<(String, Option<String>)>,
    /// Answers that were lost or failed.
    pub broken: u32,
}

/// Steps in which an enrolment is disturbed, with about how long each takes, milliseconds.
const STEPS: [(&str, u32); 8] = [
    ("start", 30),
    ("page", 1_000),
    ("chip", 1_000),
    ("face", 2_500),
    ("finish", 200),
    ("profile", 60),
    ("codes", 400),
    ("activate", 300),
];

/// Longest time for one person, whatever happens: a case that cannot go on is stuck.
const STUCK: Duration = Duration::from_secs(300);

pub struct Citizen<'a> {
    url: &'a str,
    person: Person,
    letters: &'a Letters,
    device: Device,
    points: Vec<(&'static str, Point)>,
    tell: Sender<Point>,
    begun: Instant,
    end: End,
}

/// Whether the same may be asked again: the server was away, or failed for want of something.
fn is_broken(error: &CitizenError) -> bool {
    match error {
        CitizenError::Http { .. } | CitizenError::Relay(_) => true,
        // What is under way still, or was done though its answer was lost: they look again.
        CitizenError::Problem { status, code, .. } => *status >= 500 || code == "case.state",
        _ => false,
    }
}

fn word(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_default().to_owned()
}

impl<'a> Citizen<'a> {
    pub fn new(
        url: &'a str,
        person: Person,
        letters: &'a Letters,
        (mut dice, database, tell): (Dice, Database, Sender<Point>),
    ) -> Self {
        let mut points = Vec::new();
        for nth in 0..2 {
            let (step, longest) = STEPS[usize::try_from(dice.below(8)).unwrap()];
            let after = Duration::from_millis(dice.below(longest).into());
            let what =
                if nth == 0 { Disturbance::Kill } else { Disturbance::draw(&mut dice, database) };
            let how = Duration::from_millis(u64::from(dice.below(1_500)) + 100);
            points.push((step, Point { what, after, how }));
        }
        let end = End { identity: String::new(), cases: Vec::new(), broken: 0 };
        let (device, begun) = (Device::new().unwrap(), Instant::now());
        Self { url, person, letters, device, points, tell, begun, end }
    }

    /// Enrols, with as many cases as it takes, and activates an app.
    pub fn enrol(mut self) -> End {
        loop {
            self.reach("start");
            let started = Enrolment::start(self.url, &self.person.cpr);
            let Some(case) = self.taken(started) else { continue };
            self.end.cases.push((case.id.clone(), None));
            if self.go_on(&case) {
                self.activate(&case);
                return self.end;
            }
        }
    }

    /// Tells that a step begins, if it is one that is to be disturbed.
    fn reach(&mut self, step: &str) {
        let (now, later) = self.points.drain(..).partition(|(at, _)| *at == step);
        self.points = later;
        let now: Vec<(&str, Point)> = now;
        // Nobody listens any more once the test has failed.
        now.into_iter().for_each(|(_, point)| drop(self.tell.send(point)));
    }

    /// What was answered, or nothing if it broke off and may be asked again.
    fn taken<T>(&mut self, answer: Result<T, CitizenError>) -> Option<T> {
        assert!(self.begun.elapsed() < STUCK, "stuck: {:?}", self.end);
        match answer {
            Ok(answer) => Some(answer),
            Err(error) if is_broken(&error) => {
                self.end.broken += 1;
                std::thread::sleep(Duration::from_millis(200));
                None
            }
            Err(error) => panic!("{error} after {:?}", self.end),
        }
    }

    /// Goes from wherever the case stands to its end. Whether that is an identity.
    fn go_on(&mut self, case: &Enrolment) -> bool {
        loop {
            let view = case.view();
            let Some(view) = self.taken(view) else { continue };
            let ended = |me: &mut Self, why: String| {
                me.end.cases.last_mut().unwrap().1 = Some(why);
                false
            };
            match view["state"].as_str().unwrap() {
                "consented" => {
                    self.reach("page");
                    let read = case.page(&self.person.page);
                    self.taken(read);
                }
                "page_read" | "chip_read" => {
                    self.reach("chip");
                    let read = case.read_chip(&mut self.person.chip);
                    self.taken(read);
                }
                "document_verified" => {
                    self.reach("face");
                    match case.face(&self.person.selfie) {
                        // Each try was cut off: they begin anew, as they are told to.
                        Err(CitizenError::Problem { code, .. }) if code == "case.attempts" => {
                            return ended(self, code);
                        }
                        other => drop(self.taken(other)),
                    }
                }
                "face_captured" | "face_verified" | "person_matched" => {
                    self.reach("finish");
                    let end = case.finish();
                    self.taken(end);
                }
                "identity_created" => return true,
                "referred" => {
                    let codes = view["reasons"].as_array().unwrap().iter();
                    let codes: Vec<_> = codes.map(|reason| word(reason, "code")).collect();
                    assert!(!codes.is_empty(), "referred without a reason: {view}");
                    return ended(self, codes.join(" "));
                }
                other => panic!("a case that stands at {other}: {view}"),
            }
        }
    }

    /// From an identity to an app.
    fn activate(&mut self, case: &Enrolment) {
        let identity = loop {
            let end = case.finish();
            if let Some(end) = self.taken(end) {
                break word(&end["identity"], "id");
            }
        };
        self.end.identity.clone_from(&identity);
        let own = format!("/v1/identities/{identity}");
        self.reach("profile");
        let user_id = json!({ "user_id": self.person.user_id });
        let contacts = json!({ "phone": self.person.phone, "email": self.person.email });
        for (step, body) in [("user-id", user_id), ("contacts", contacts)] {
            while {
                let put = case.send(Method::Put, &format!("{own}/{step}"), &body);
                self.taken(put).is_none()
            } {}
        }
        let (app, codes) = self.codes(case, &own);
        self.reach("activate");
        let signature = self.device.sign(Purpose::Activate, &word(&app, "challenge")).unwrap();
        let body = json!({ "codes": codes, "pin": "284917", "signature": signature });
        let path = format!("/v1/authenticators/{}/activation", word(&app, "id"));
        loop {
            // Asked again after its answer was lost, it answers as it did then.
            let view = case.send(Method::Post, &path, &body);
            if let Some(view) = self.taken(view) {
                assert_eq!(view["state"], "active", "{view}");
                return;
            }
        }
    }

    /// Registers the device until both its codes have come.
    fn codes(&mut self, case: &Enrolment, own: &str) -> (Value, Value) {
        let path = format!("{own}/authenticators");
        let key = self.device.public_key().unwrap();
        let user_id = &self.person.user_id;
        let body = json!({ "public_key": key, "channels": ["sms", "email"], "user_id": user_id });
        loop {
            let apps = case.get(&path);
            let Some(apps) = self.taken(apps) else { continue };
            // Codes of registrations whose answer was lost are dead, but they still come.
            let before = apps.as_array().unwrap_or_else(|| panic!("{apps}")).len();
            let came = |nth: usize| {
                let to = [("sms", &*self.person.phone), ("email", &*self.person.email)];
                let wait = STUCK.saturating_sub(self.begun.elapsed());
                to.map(|to| self.letters.await_code(to, nth, wait))
            };
            if before > 0 {
                let earlier = came(before - 1);
                assert!(earlier.iter().all(Option::is_some), "a code is lost: {:?}", self.end);
            }
            self.reach("codes");
            let registered = case.send(Method::Post, &path, &body);
            if let Some(app) = self.taken(registered) {
                let [sms, email] = self.both(before);
                return (app, json!({ "sms": sms, "email": email }));
            }
        }
    }

    /// The codes that come after `before` of them.
    fn both(&self, before: usize) -> [String; 2] {
        let wait = STUCK.saturating_sub(self.begun.elapsed());
        let to = [("sms", &*self.person.phone), ("email", &*self.person.email)];
        to.map(|to| {
            let code = self.letters.await_code(to, before, wait);
            code.unwrap_or_else(|| panic!("a code is lost: {:?}", self.end))
        })
    }
}
