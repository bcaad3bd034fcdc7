//! A block, and a request under way when it returns: its head came before, its body comes after.

use super::super::desk::{Citizen, Desk, EMAIL, PHONE, PIN, refusal};
use super::super::parties::{Phone, Site, encoded};
use super::reopening::{code_in, second};
use super::{Guest, opened};
use serde_json::json;
use server::app::{AppError, Place};
use server::storage::MySession;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;
use time::Duration;

const NEW_PASSWORD: &str = "en anden hest batteri";

/// A form of our own page whose body is still to come.
struct UnderWay {
    path: &'static str,
    stream: TcpStream,
    body: String,
}

impl UnderWay {
    /// Sends its head, and returns once the server has looked at the session.
    fn of(guest: &Guest<'_>, path: &'static str, pairs: &[(&str, &str)]) -> Self {
        // Only what is older is written down again, which shows that it was looked at.
        guest.site.desk.wait(Duration::seconds(31));
        let (body, now) = (encoded(pairs), guest.site.desk.now().unix_timestamp());
        let address = guest.site.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             cookie: indrul-my={}\r\nsec-fetch-site: same-origin\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
            guest.cookie("indrul-my").unwrap(),
            body.len(),
        );
        stream.write_all(head.as_bytes()).unwrap();
        let deadline = Instant::now() + std::time::Duration::from_secs(60);
        while session(guest).unwrap().seen.unix_timestamp() != now {
            assert!(Instant::now() < deadline, "{path}: nobody looked at the session");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        Self { path, stream, body }
    }

    /// The rest of it; gives what is answered.
    fn answered(mut self) -> String {
        self.stream.write_all(self.body.as_bytes()).unwrap();
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

fn session(guest: &Guest<'_>) -> Option<MySession> {
    let hash = openssl::sha::sha256(guest.cookie("indrul-my")?.as_bytes());
    let desk = guest.site.desk;
    desk.runtime
        .block_on(async { desk.store.read().await.unwrap().my_session(&hash).await.unwrap() })
}

#[test]
fn nothing_is_written_of_a_request_that_a_block_overtook() {
    // proves F1
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        desk.deliver();
        let (other, id) = second(&desk, &anna, &phone.app);
        let code = code_in(&desk);
        let tablet = Phone { citizen: &other, app: id };
        let guest = Guest::new(&site);
        guest.logs_in(&phone);
        assert_eq!(guest.post("/my/means/block", &[("id", &tablet.app)]).status, 200);
        guest.logs_in(&phone);
        let (app, tab) = (phone.app.as_str(), tablet.app.as_str());
        let contacts = [("phone", "+4599887766"), ("email", EMAIL), ("sms_notices", "on")];
        let pin = [("app", app), ("old", PIN), ("new", "739104"), ("again", "739104")];
        let wrong = [("app", app), ("old", "111112"), ("new", "739104"), ("again", "739104")];
        let forms: [(&'static str, &[(&str, &str)]); 9] = [
            ("/my/contacts", &contacts),
            ("/my/pin", &pin),
            ("/my/pin", &wrong),
            ("/my/means/name", &[("id", app), ("name", "mine")]),
            ("/my/means/reopen", &[("id", tab)]),
            ("/my/means/block", &[("id", app)]),
            ("/my/means/lose", &[("id", tab)]),
            ("/my/password", &[("old", "a"), ("new", NEW_PASSWORD), ("again", NEW_PASSWORD)]),
            ("/my/erase", &[("sure", "on")]),
        ];
        let under_way: Vec<UnderWay> =
            forms.iter().map(|(path, pairs)| UnderWay::of(&guest, path, pairs)).collect();
        let kept = desk.runtime.block_on(async {
            desk.store.begin().await.unwrap().hold_profile(anna.identity).await.unwrap()
        });
        let (status, answer) = desk.post("/v1/blocks", &json!({ "code": code }));
        assert_eq!((status, &answer["state"]), (200, &json!("blocked")), "{answer}");
        desk.deliver();
        for form in under_way {
            let path = form.path;
            let answer = form.answered();
            assert!(answer.starts_with("HTTP/1.1 401 "), "{path}: {answer}");
            assert!(answer.contains("id=\"log-in-button\""), "{path}: {answer}");
        }
        assert_eq!(desk.deliver().len(), 0, "nothing is told, for nothing was done");
        let now = desk.runtime.block_on(async {
            desk.store.begin().await.unwrap().hold_profile(anna.identity).await.unwrap()
        });
        assert_eq!(now.details, kept.details);
        assert_eq!(now.life.epoch, kept.life.epoch + 1, "of the one block");
        assert_eq!(anna.offer(app, PIN).0, 201, "with the PIN of before, and not blocked");
        assert_eq!(refusal(other.offer(tab, PIN)).0, 409, "not opened again");
        assert!(now.details.contacts.unwrap().phone.as_deref() == Some(PHONE));
    }
}

#[test]
fn nothing_is_done_for_a_session_that_was_looked_at_before_a_block() {
    // proves F1 (what has no body that would come later; of the calls of an app what is behind the holder)
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        desk.deliver();
        let (_, tablet) = second(&desk, &anna, &phone.app);
        let code = code_in(&desk);
        let (token, own) = (opened(&phone), phone.app.as_str());
        let (app, place) = (&desk.app, Place::default());
        let holder = desk.runtime.block_on(app.holder(&token, place)).unwrap();
        assert_eq!(desk.post("/v1/blocks", &json!({ "code": code })).0, 200);
        desk.deliver();
        let all = || desk.runtime.block_on(async { everything(&desk, &anna).await });
        let kept = all();
        let refused = desk.runtime.block_on(async {
            [
                app.block_mine(&holder, own).await.err(),
                app.reopen_mine(&holder, &tablet).await.err(),
                app.lose_mine(&holder, own).await.err(),
                app.find_mine(&holder, own).await.err(),
                app.name_mine(&holder, own, "mine").await.err(),
                app.block_all_mine(&holder).await.err(),
                app.export_mine(&holder).await.err(),
                app.erase_mine(&holder).await.err(),
            ]
        });
        for (index, error) in refused.iter().enumerate() {
            assert!(matches!(error, Some(AppError::Unauthorized)), "{index}: {error:?}");
        }
        assert_eq!(all(), kept);
        assert_eq!(desk.deliver().len(), 0, "nothing is told, for nothing was done");
        assert_eq!(anna.offer(own, PIN).0, 201, "not blocked");
    }
}

/// How much is in the trail and on the person's list, and the epoch of their identity.
async fn everything(desk: &Desk, anna: &Citizen<'_>) -> (usize, usize, u64) {
    let mut tx = desk.store.read().await.unwrap();
    let trail = tx.audit_after(0, 1000).await.unwrap().len();
    let listed = tx.activities(anna.identity, None, None, 99).await.unwrap().len();
    (trail, listed, tx.life(anna.identity).await.unwrap().epoch)
}
