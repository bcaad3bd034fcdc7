//! What is in the outbox reaches people, at least once, whatever the channels do.

use super::desk::{Desk, EMAIL, PHONE};
use super::operation::until;
use super::station::listen;
use server::clock::SystemEntropy;
use server::commands::outbox::revive;
use server::config::{Config, Notices, Tls};
use server::ids::MessageId;
use server::notices::standin::{Mood, StandIns};
use server::notices::{
    Address, Channel, Deliver, DeliveryError, Message, Notice, Post, Round, Running, Words,
};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use time::Duration;

fn size(desk: &Desk) -> (i64, i64) {
    let size = async { desk.store.read().await.unwrap().outbox_size().await };
    desk.runtime.block_on(size).unwrap()
}

/// Silence is noticed soon.
fn impatient(config: &mut Config) {
    config.notices.timeout_ms = 2_000;
}

fn round(desk: &Desk) -> Round {
    desk.runtime.block_on(desk.worker.round()).unwrap()
}

#[test]
fn a_channel_that_is_down_is_tried_again_later_and_no_notice_is_lost() {
    // proves E7 (no notice lost)
    for desk in Desk::all_changed(impatient) {
        let anna = desk.enrolled(1);
        anna.with_app();
        for mood in [Mood::Busy, Mood::Silent] {
            desk.post.mailbox.set(mood, mood);
            assert_eq!(round(&desk), Round { postponed: 2, ..Round::default() }, "{mood:?}");
            assert_eq!(round(&desk), Round::default(), "not before the pause is over");
            desk.wait(Duration::seconds(10));
        }
        desk.post.mailbox.set(Mood::Willing, Mood::Willing);
        desk.wait(Duration::seconds(10));
        let arrived = desk.deliver();
        assert_eq!((arrived.len(), size(&desk)), (2, (0, 0)));
    }
}

#[test]
fn what_one_channel_refuses_goes_to_the_other() {
    // proves E7 (falls over to the other channel)
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        anna.with_app();
        desk.deliver();
        // Notices by SMS only; the e-mail address is known.
        let again = desk.enrolled(1);
        let contacts = serde_json::json!({ "phone": PHONE, "email": EMAIL, "notices": ["sms"] });
        assert_eq!(again.own("PUT", "/contacts", &contacts).0, 200);
        // That e-mail is left out is told by both.
        assert_eq!(desk.deliver().len(), 2);
        again.own("POST", "/block", &serde_json::Value::Null);
        desk.post.mailbox.set(Mood::Willing, Mood::Refusing);
        // That channel alone: the other would take up what falls to it.
        let refused = desk.runtime.block_on(desk.worker.round_of(Channel::Sms)).unwrap();
        assert_eq!(refused, Round { dead: 1, ..Round::default() });
        let arrived = desk.deliver();
        assert_eq!((arrived.len(), size(&desk)), (1, (0, 1)));
        assert_eq!((arrived[0].channel.as_str(), arrived[0].to.as_str()), ("email", EMAIL));
    }
}

#[test]
fn a_message_is_given_up_after_five_days_and_erased_in_the_end() {
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        anna.with_app();
        desk.post.mailbox.set(Mood::Busy, Mood::Busy);
        for _ in 0..20 {
            assert_eq!(round(&desk), Round { postponed: 2, ..Round::default() });
            desk.wait(Duration::hours(6));
        }
        assert_eq!(round(&desk), Round { dead: 2, ..Round::default() });
        assert_eq!(size(&desk), (0, 2));
        desk.wait(Duration::days(31));
        round(&desk);
        assert_eq!(size(&desk), (0, 0));
        let trail = desk.runtime.block_on(async {
            desk.store.read().await.unwrap().audit_after(0, 100).await.unwrap()
        });
        let of = |kind| trail.iter().filter(|entry| entry.kind == kind).collect::<Vec<_>>();
        assert_eq!(of("notice.erased").len(), 2);
        let whose = serde_json::json!(anna.identity);
        for kind in ["notice.sent", "notice.delivered", "notice.dead"] {
            let found = of(kind);
            assert!(found.len() >= 2, "{kind}");
            assert!(found.iter().all(|entry| entry.data["identity"] == whose), "{kind}");
        }
    }
}

#[test]
fn a_dead_letter_is_tried_once_more_when_its_operator_says_so() {
    for desk in Desk::all() {
        desk.enrolled(1).with_app();
        desk.post.mailbox.set(Mood::Refusing, Mood::Refusing);
        assert_eq!(round(&desk), Round { dead: 2, ..Round::default() });
        let revive = |ids: Vec<_>| {
            let now = desk.now();
            desk.runtime.block_on(async { revive(&desk.store, &ids, now).await.unwrap() })
        };
        let dead = async { desk.store.read().await.unwrap().dead_letters().await.unwrap() };
        let dead = desk.runtime.block_on(dead);
        let shown = serde_json::to_string(&dead).unwrap();
        assert!(!shown.contains(PHONE) && !shown.contains(EMAIL));
        let ids: Vec<_> = dead.iter().map(|letter| letter.id).collect();
        let unknown = MessageId::random(&SystemEntropy).unwrap();
        assert!(!revive(vec![ids[0], unknown]), "all of them or none");
        assert_eq!(size(&desk), (0, 2));
        assert!(revive(ids));
        desk.post.mailbox.set(Mood::Willing, Mood::Willing);
        assert_eq!((desk.deliver().len(), size(&desk)), (2, (0, 0)));
    }
}

#[test]
fn what_was_tried_too_often_is_not_tried_again() {
    let desk = Desk::changed(|config| config.notices.tries = 2);
    desk.enrolled(1).with_app();
    desk.post.mailbox.set(Mood::Busy, Mood::Busy);
    for _ in 0..2 {
        assert_eq!(round(&desk), Round { postponed: 2, ..Round::default() });
        desk.wait(Duration::HOUR);
    }
    desk.post.mailbox.set(Mood::Willing, Mood::Willing);
    assert_eq!(round(&desk), Round { dead: 2, ..Round::default() });
}

#[test]
fn a_silent_channel_does_not_hold_up_the_other() {
    let desk = Desk::changed(|config| {
        impatient(config);
        config.notices.batch = 1;
    });
    desk.enrolled(1).with_app();
    desk.post.mailbox.set(Mood::Silent, Mood::Willing);
    assert_eq!(round(&desk), Round { delivered: 1, postponed: 1, dead: 0 });
}

/// A mail server that says `greeting`, to the command `verb` what is given, and to all others that it
/// is well.
fn mail_server(greeting: &'static str, (verb, answer): (&'static str, &'static str)) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let lines = BufReader::new(socket.try_clone().unwrap()).lines();
        write!(socket, "{greeting}\r\n").unwrap();
        for line in lines.map_while(Result::ok) {
            let is_it = line.split(' ').next() == Some(verb);
            let answer = if is_it { answer } else { "250-here\r\n250 AUTH PLAIN" };
            if write!(socket, "{answer}\r\n").is_err() {
                break;
            }
        }
    });
    port
}

#[test]
fn only_what_is_wrong_with_the_mailbox_or_message_is_for_ever() {
    let to = Address { channel: Channel::Email, at: EMAIL.to_owned() };
    let told = Notice::Code.told(&Words { code: Some("123456"), ..Words::default() });
    let message = Message { identity: None, to, told, until: None, otherwise: None };
    let busy = |status| DeliveryError::Busy { status };
    let hello = "220 here";
    let cases = [
        ("554 not here", ("", ""), busy(554)),
        (hello, ("AUTH", "535 5.7.8 wrong password"), busy(535)),
        (hello, ("MAIL", "530 5.7.0 say STARTTLS first"), busy(530)),
        (hello, ("DATA", "554 5.3.0 no"), busy(554)),
        (hello, ("RCPT", "550 no such mailbox"), DeliveryError::Refused { status: 550 }),
    ];
    for (greeting, answer, expected) in cases {
        let mut config = Notices {
            smtp_host: Some("127.0.0.1".to_owned()),
            smtp_port: mail_server(greeting, answer),
            smtp_tls: Tls::None,
            smtp_user: Some("indrul".to_owned()),
            smtp_password: Some("hemmeligt".to_owned().into()),
            ..Notices::default()
        };
        let post = Post::new(&mut config).unwrap();
        assert_eq!(post.deliver("id", &message), Err(expected), "{greeting} {answer:?}");
    }
}

#[test]
fn a_code_that_is_worth_nothing_any_more_is_not_sent() {
    // proves E4
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        anna.reach(PHONE);
        assert_eq!(anna.ask_for_codes().0, 201);
        desk.wait(Duration::minutes(31));
        let arrived = desk.deliver();
        assert_eq!(arrived.iter().map(|m| m.channel.as_str()).collect::<Vec<_>>(), ["email"]);
        assert_eq!(size(&desk), (0, 1), "the SMS is a dead letter");
    }
}

#[test]
fn several_workers_share_one_outbox() {
    // proves E7 (each notice once where nothing fails)
    for desk in Desk::all() {
        for person in 1..=5 {
            desk.enrolled(person).with_app();
        }
        let before = desk.post.mailbox.arrived().len();
        desk.runtime.block_on(async {
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..4 {
                let worker = desk.worker.clone();
                tasks.spawn(async move { worker.round().await.unwrap().delivered });
            }
            let delivered: usize = tasks.join_all().await.into_iter().sum();
            assert_eq!(delivered, 2, "the last person's; earlier ones went with later codes");
        });
        assert_eq!(desk.post.mailbox.arrived().len() - before, 2);
    }
}

/// Starts the worker, and returns while it delivers to channels that do not answer.
fn delivering(desk: &Desk) -> Running {
    desk.enrolled(1).with_app();
    desk.post.mailbox.set(Mood::Silent, Mood::Silent);
    let before = desk.post.mailbox.arrived().len();
    let _inside = desk.runtime.enter();
    let running = desk.worker.clone().start(desk.app.ending.clone());
    until(|| desk.post.mailbox.arrived().len() == before + 2);
    running
}

#[test]
fn a_worker_that_is_ended_settles_what_it_holds_and_claims_nothing_more() {
    for desk in Desk::all_changed(impatient) {
        let _running = delivering(&desk);
        desk.app.ending.begin();
        desk.runtime.block_on(desk.app.ending.workers_done());
        desk.post.mailbox.set(Mood::Willing, Mood::Willing);
        // Long before the claim would have ended.
        desk.wait(Duration::seconds(10));
        assert_eq!(round(&desk), Round { delivered: 2, ..Round::default() });
    }
}

#[test]
fn a_stop_waits_for_the_worker_before_it_closes_the_database() {
    for desk in Desk::all_changed(impatient) {
        let _running = delivering(&desk);
        let serving = desk.runtime.block_on(listen(desk.app.clone(), async {})).1;
        desk.runtime.block_on(serving).unwrap();
        assert_eq!(desk.app.ending.workers(), 0);
    }
}

#[test]
fn no_mail_leaves_in_clear_where_tls_is_asked_for() {
    // proves H4
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stand_ins = runtime.block_on(StandIns::start()).unwrap();
    let to = Address { channel: Channel::Email, at: EMAIL.to_owned() };
    let told = Notice::Code.told(&Words { code: Some("123456"), ..Words::default() });
    let message = Message { identity: None, to, told, until: None, otherwise: None };
    for tls in [Tls::Starttls, Tls::Implicit] {
        let mut config = Notices { timeout_ms: 1_000, ..Notices::default() };
        stand_ins.configure(&mut config);
        config.smtp_tls = tls;
        let post = Post::new(&mut config).unwrap();
        assert_eq!(post.deliver("id", &message), Err(DeliveryError::Unreachable), "{tls:?}");
    }
    assert!(stand_ins.mailbox.arrived().is_empty());
    let none = Post::new(&mut Notices::default()).unwrap();
    assert_eq!(none.deliver("id", &message), Err(DeliveryError::NotConfigured));
}
