//! What is in the outbox reaches people, at least once, whatever the channels do.

use super::desk::{Desk, EMAIL, PHONE};
use super::operation::until;
use super::station::listen;
use server::config::{Notices, Tls};
use server::notices::standin::{Mood, StandIns};
use server::notices::{
    Address, Channel, Deliver, DeliveryError, Message, Notice, Post, Round, Running, Words,
};
use time::Duration;

fn size(desk: &Desk) -> (i64, i64) {
    let size = async { desk.store.read().await.unwrap().outbox_size().await };
    desk.runtime.block_on(size).unwrap()
}

fn round(desk: &Desk) -> Round {
    desk.runtime.block_on(desk.worker.round()).unwrap()
}

#[test]
fn a_channel_that_is_down_is_tried_again_later_and_no_notice_is_lost() {
    // proves E7 (no notice lost)
    for desk in Desk::all() {
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
        again.own("POST", "/block", &serde_json::Value::Null);
        desk.post.mailbox.set(Mood::Willing, Mood::Refusing);
        assert_eq!(round(&desk), Round { dead: 1, ..Round::default() });
        let arrived = desk.deliver();
        assert_eq!((arrived.len(), size(&desk)), (1, (0, 1)));
        assert_eq!((arrived[0].channel.as_str(), arrived[0].to.as_str()), ("email", EMAIL));
    }
}

#[test]
fn a_message_is_given_up_after_its_last_try_and_erased_in_the_end() {
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        anna.with_app();
        desk.post.mailbox.set(Mood::Busy, Mood::Busy);
        for _ in 1..12 {
            assert_eq!(round(&desk), Round { postponed: 2, ..Round::default() });
            desk.wait(Duration::hours(1));
        }
        assert_eq!(round(&desk), Round { dead: 2, ..Round::default() });
        assert_eq!(size(&desk), (0, 2));
        desk.wait(Duration::days(31));
        round(&desk);
        assert_eq!(size(&desk), (0, 0));
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
    for desk in Desk::all() {
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
    for desk in Desk::all() {
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
    let message = Message { to, told, until: None, otherwise: None };
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
