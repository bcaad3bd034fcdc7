//! How often relying parties and pages may ask, all from one address.

use super::desk::Desk;
use super::parties::{Browser, Phone, Site, claims};
use server::config::Limits;

/// A service whose addresses have a share of 60 and get no more.
fn desk(change: impl FnOnce(&mut Limits)) -> Desk {
    Desk::changed(|config| {
        (config.limits.address_burst, config.limits.address_per_minute) = (60, 1);
        change(&mut config.limits);
    })
}

#[test]
fn a_relying_party_is_counted_by_itself_and_who_proves_nothing_by_address() {
    let desk = desk(|limits| (limits.client_burst, limits.client_per_minute) = (80, 1));
    let site = Site::open(&desk);
    let netbank = site.party(|_| {});
    let other = site.party(|table| table["client_id"] = "other".into());
    for number in 0..80 {
        assert_eq!(netbank.push(&[]).0.status, 201, "{number}");
    }
    assert_eq!(netbank.push(&[]).0.status, 429, "its own share");
    assert_eq!(other.push(&[]).0.status, 201, "another has one of its own");
    let guess = [("client_id", "netbank"), ("client_secret", "guess")];
    let tries: Vec<_> =
        (0..70).map(|_| netbank.form_with("/oidc/token", &[], &guess).status).collect();
    assert!(tries.iter().filter(|status| **status == 401).count() <= 60, "{tries:?}");
    assert_eq!(tries.last(), Some(&429));
}

#[test]
fn a_page_is_counted_by_its_log_in_and_what_opens_none_by_address() {
    let desk = desk(|limits| (limits.log_in_burst, limits.log_in_per_minute) = (70, 1));
    let site = Site::open(&desk);
    let netbank = site.party(|_| {});
    let [one, other] = [(); 2].map(|()| Browser::at(&netbank, &netbank.begin(&[])));
    for number in 0..70 {
        assert_eq!(one.get("/log-in/state").status, 200, "{number}");
    }
    assert_eq!(one.get("/log-in/state").status, 429, "its own share");
    assert_eq!((other.state(), other.get("/log-in/qr/1").status), ("showing".to_owned(), 200));
    let stranger = Browser::empty(&site);
    let tries: Vec<_> = (0..70).map(|_| stranger.get("/log-in/state").status).collect();
    assert!(tries.iter().filter(|status| **status == 200).count() <= 60, "{tries:?}");
    assert_eq!(tries.last(), Some(&429));
}

#[test]
fn a_relying_party_begins_few_log_ins_of_one_person() {
    let desk = Desk::changed(|config| {
        (config.limits.asked_burst, config.limits.asked_per_hour) = (2, 1);
    });
    let site = Site::open(&desk);
    let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
    let netbank = site.party(|_| {});
    let subject = |phone: &Phone<'_>| {
        let tokens = netbank.logged_in(phone, &[]);
        let told = claims(&site, tokens["id_token"].as_str().unwrap(), "JWT");
        told["sub"].as_str().unwrap().to_owned()
    };
    let (annas, berts) = (subject(&Phone::of(&anna)), subject(&Phone::of(&bert)));
    let begin = |subject: &str| {
        let text = ("binding_message", "Kundeservice ringer");
        netbank.form("/oidc/ciba", &[("scope", "openid"), text, ("login_hint", subject)]).status
    };
    assert_eq!([begin(&annas), begin(&annas), begin(&annas)], [200, 200, 429]);
    assert_eq!(begin(&berts), 200, "another person");
}

#[test]
fn a_page_for_who_is_lost_is_counted_by_address() {
    let desk = desk(|_| {});
    let site = Site::open(&desk);
    let page = [("accept", "text/html")];
    let tries: Vec<_> = (0..70).map(|_| site.send("GET", "/nowhere", &page, "").status).collect();
    assert!(tries.iter().filter(|status| **status == 404).count() <= 60, "{tries:?}");
    assert_eq!(tries.last(), Some(&429));
}
