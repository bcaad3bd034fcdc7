//! What arrived by SMS and e-mail, sorted by whom it is for.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use server::notices::standin::Mailbox;

/// A channel (`sms` or `email`) and an address.
type Address = (String, String);

/// Takes what arrives at the stand-ins, and keeps it.
#[derive(Debug)]
pub struct Letters {
    mailbox: Mailbox,
    kept: Mutex<HashMap<Address, Vec<String>>>,
}

impl Letters {
    /// Of what arrives at `mailbox` from now on.
    #[must_use]
    pub fn new(mailbox: Mailbox) -> Self {
        Self { mailbox, kept: Mutex::default() }
    }

    /// All texts that arrived for `to` on `channel`, oldest first.
    #[must_use]
    pub fn texts(&self, channel: &str, to: &str) -> Vec<String> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for arrived in self.mailbox.take_all() {
            kept.entry((arrived.channel, arrived.to)).or_default().push(flat(&arrived.text));
        }
        kept.get(&(channel.to_owned(), to.to_owned())).cloned().unwrap_or_default()
    }

    /// The different activation codes that arrived for `to` on `channel`, oldest first.
    #[must_use]
    pub fn codes(&self, channel: &str, to: &str) -> Vec<String> {
        let mut codes = Vec::new();
        for code in self.texts(channel, to).iter().filter_map(|text| code_in(text)) {
            // A message may arrive twice.
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        codes
    }

    /// The newest code for `to` once there are more than `before`, or `None` if none comes in `wait`.
    #[must_use]
    pub fn await_code(
        &self,
        (channel, to): (&str, &str),
        before: usize,
        wait: Duration,
    ) -> Option<String> {
        let begun = Instant::now();
        loop {
            let mut codes = self.codes(channel, to);
            if codes.len() > before {
                return codes.pop();
            }
            if begun.elapsed() > wait {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// An e-mail comes in quoted-printable, with lines broken anywhere (RFC 2045 §6.7).
fn flat(text: &str) -> String {
    text.replace("=\n", "").replace('\n', " ")
}

fn code_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("Your code is ")?;
    Some(rest.chars().take_while(char::is_ascii_digit).collect())
}
