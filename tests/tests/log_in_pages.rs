//! Logging in as a person meets it: the app in one profile of a real Chromium, a relying party's site in
//! another one, and the code on its screen before the phone's camera (docs/log-in.md).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use indrul_tests::{
    demo::Demo,
    log_in::{
        PIN, USER_ID, activates, copy_code, enrolled, film, goes_to_code, halves, owns,
        relying_party, scans, scans_until, types_codes,
    },
    person::{PATIENCE, Person, pictures},
    webdriver::ENTER,
};

fn demo() -> Demo {
    Demo::start(env!("CARGO_BIN_EXE_fixtures"), &[])
}

/// A phone with nothing on it.
fn phone(demo: &Demo) -> Person<'_> {
    let phone = Person::without_shell(demo, "good").named("app");
    phone.browser.screen(360, 800).unwrap();
    phone
}

/// A phone with an app of a person who has enrolled on it.
fn phone_with_app(demo: &Demo) -> Person<'_> {
    let phone = phone(demo);
    let case = enrolled(demo, &phone.passport);
    owns(demo, &phone.browser, &case);
    activates(&phone);
    phone
}

/// A browser at a desk.
fn desk(demo: &Demo) -> Person<'_> {
    let desk = Person::without_shell(demo, "good").named("desk");
    desk.browser.screen(900, 1000).unwrap();
    desk
}

/// Waits until the app shows the part `name` and does nothing more.
fn shows(phone: &Person<'_>, name: &str) {
    phone.wait(&format!("#app[data-shown={name}]:not([aria-busy])"));
}

/// Opens the app at its start.
fn starts(phone: &Person<'_>) {
    phone.open("/app");
    shows(phone, "home");
}

/// Looks at the app's part `shown` in both languages and in high contrast, and keeps pictures. Loading the
/// page again shows the same part.
fn looks_at_app(phone: &Person<'_>, name: &str, shown: &str) {
    for (choice, file) in [("contrast=high", "contrast"), ("contrast=normal", "plain")] {
        phone.open(&format!("/app?{choice}"));
        for language in ["en", "da"] {
            phone.open(&format!("/app?lang={language}"));
            shows(phone, shown);
            assert_eq!(phone.script("return document.documentElement.lang"), language);
            looks(phone, &format!("{name}-{file}-{language}"));
        }
    }
}

/// Looks at the page as it stands, at the phone's size, and keeps a picture.
fn looks(person: &Person<'_>, name: &str) {
    person.is_sound(name);
    person.browser.whole_page(&pictures().join(format!("log-in-{name}.png"))).unwrap();
}

/// The text before the person.
fn text(person: &Person<'_>, css: &str) -> String {
    person.wait(css);
    person.browser.text(css).unwrap()
}

/// Approves what is before the person.
fn approves(phone: &Person<'_>) {
    shows(phone, "asked");
    phone.fill("pin", PIN);
    phone.press("#approve");
}

/// Where the log-in before the person began, and the warning that is read with the field of the PIN.
fn warned(phone: &Person<'_>) -> (String, &'static str) {
    let shown =
        |id: &str| phone.script(&format!("return !document.getElementById('{id}').hidden")) == true;
    let read = phone
        .script("return document.getElementById('pin').getAttribute('aria-describedby') ?? ''");
    let all = ["asked-other", "asked-new", "asked-switched", "asked-switched-new", "asked-unknown"];
    let all = all.into_iter().filter(|id| shown(id));
    let warning = all.reduce(|_, _| "more than one").unwrap_or("");
    assert_eq!(read, warning);
    (text(phone, "#asked-begun"), warning)
}

/// What is said of a browser of which nothing is known, as of all that come from this machine itself.
fn unknown() -> (String, &'static str) {
    ("Vi ved ikke, hvor browseren er i forhold til din telefon".to_owned(), "asked-unknown")
}

/// The app finds the log-in that is before the person anew, and is told that it began there.
fn is_told(phone: &Person<'_>, begun: &str) {
    phone.script("sessionStorage.clear(); localStorage.clear()");
    says(phone, "test-begun", begun);
    phone.open("/app");
    shows(phone, "asked");
}

/// Every request of this browser comes from `address` from now on, as a proxy says.
fn comes_from(person: &Person<'_>, address: &str) {
    let headers = serde_json::json!({ "headers": { "x-forwarded-for": address } });
    person.browser.command("Network.enable", &serde_json::json!({})).unwrap();
    person.browser.command("Network.setExtraHTTPHeaders", &headers).unwrap();
}

/// Opens the log-in that a page on this device brought.
fn opens(phone: &Person<'_>) {
    shows(phone, "opened");
    assert_eq!(phone.script("return location.hash"), "", "the secret stays in no history");
    phone.press("#open-log-in");
    shows(phone, "asked");
}

/// Every page that is loaded from now on tells other fields beside what is signed, loses one answer, or keeps nothing,
/// where the tab says so.
const UNLUCKY: &str = r#"
    const said = (name) => sessionStorage.getItem(name);
    const fetched = window.fetch;
    window.fetch = async (path, ...more) => {
      if (said("test-busy") && String(path).endsWith(said("test-busy"))) {
        sessionStorage.removeItem("test-busy");
        const text = { da: "Der er mange i gang", en: "Many are at it" };
        return Response.json({ code: "server.busy", text, next: text }, { status: 503 });
      }
      if (said("test-waits") && String(path).endsWith(said("test-waits"))) {
        return Response.json({ code: "pin.weak" }, { status: 422 });
      }
      const answer = await fetched(path, ...more);
      if (said("test-loses") && String(path).endsWith(said("test-loses"))) {
        sessionStorage.removeItem("test-loses");
        throw new TypeError("the line is gone");
      }
      if (!String(path).endsWith("/log-ins") || !answer.ok) return answer;
      const told = await answer.json();
      const other = { relying_party: "Netbanken", action: "SIGN", reference_text: "Andet", level: "High", begun: "new_network" };
      const begun = said("test-begun");
      if (begun) told.transaction = told.transaction.replace(/"begun":"[a-z_]+"/, `"begun":"${begun}"`);
      return Response.json({ ...told, ...other, log_in: said("test-log-in") ?? told.log_in });
    };
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function (...given) {
      const request = put.apply(this, given);
      if (said("test-full")) this.transaction.abort();
      return request;
    };
    navigator.storage.persist = async () => {
      sessionStorage.setItem("test-asked", "to persist");
      return false;
    };
"#;

fn is_unlucky(person: &Person<'_>) {
    let script = serde_json::json!({ "source": UNLUCKY });
    person.browser.command("Page.addScriptToEvaluateOnNewDocument", &script).unwrap();
}

/// What the tab says of it.
fn says(person: &Person<'_>, name: &str, value: &str) {
    person.script(&format!("sessionStorage.setItem({name:?}, {value:?})"));
}

/// The answer to what `css` sends is lost, and the person is told what is known of it.
fn loses(person: &Person<'_>, path: &str, css: &str) {
    says(person, "test-loses", path);
    person.press(css);
    let told = text(person, "#app:not([aria-busy]) #problem[data-reason=offline]");
    assert!(told.contains("prøv igen") && !told.contains("sendt"), "{told}");
}

/// The server cannot answer now what `css` sends, and the person is told.
fn is_busy(person: &Person<'_>, path: &str, css: &str) {
    says(person, "test-busy", path);
    person.press(css);
    person.wait("#app:not([aria-busy]) #problem[data-reason='server.busy']:not([hidden])");
}

/// Keeps `kept`, a script's object, as the app of this browser, as another tab would.
fn another_tab_keeps(person: &Person<'_>, kept: &str) {
    let put = format!(
        "return new Promise((done) => {{ const opening = indexedDB.open('indrul', 1); \
        opening.onsuccess = () => {{ const change = opening.result.transaction('apps', 'readwrite'); \
        change.objectStore('apps').put({kept}, 'app'); change.oncomplete = () => done(true); }}; }})"
    );
    assert_eq!(person.script(&put), true);
}

/// What is kept of the app of this browser: its code to copy with, or its identifier.
fn kept(person: &Person<'_>) -> serde_json::Value {
    person.script(
        "return new Promise((done) => { const opening = indexedDB.open('indrul', 1); \
        opening.onsuccess = () => { const asked = opening.result.transaction('apps') \
        .objectStore('apps').get('app'); asked.onsuccess = () => \
        done(asked.result?.copy_code ?? asked.result?.id ?? null); }; })",
    )
}

/// Waits until a browser is at an address that begins so.
fn arrives(person: &Person<'_>, address: &str) {
    let deadline = Instant::now() + Duration::from_secs(PATIENCE);
    while !person.browser.url().unwrap().starts_with(address) {
        assert!(Instant::now() < deadline, "{} and not {address}", person.browser.url().unwrap());
        sleep(Duration::from_millis(100));
    }
}

/// The enrolment was begun at the desk; the phone takes it over with a code from there.
fn takes_over(phone: &Person<'_>, desk: &Person<'_>) {
    let case = enrolled(desk.demo, &desk.passport);
    owns(desk.demo, &desk.browser, &case);
    desk.open("/enrol/activate");
    desk.press("a[href='/enrol/hand-over']");
    desk.press("#draw");
    let code = text(desk, "#code");
    phone.press("a[href='/enrol/pick-up']");
    phone.wait("#pick");
    phone.fill("code", &code);
    phone.press("#pick");
    phone.wait("#activate:not([hidden])");
}

/// Activates the app, after a user ID that is another one's.
fn activates_after_a_mistake(phone: &Person<'_>) {
    looks_at_app(phone, "activate", "activate");
    phone.fill("user-id", "somebody.else");
    phone.press("#send-codes");
    let told = text(phone, "#problem:not([hidden])");
    assert!(told.contains("bruger-ID"), "{told}");
    phone.fill("user-id", USER_ID);
    phone.press("#send-codes");
    phone.wait("#codes:not([hidden])");
    // Whoever loads the page again goes on with the codes that are under way.
    phone.open("/app");
    phone.wait("#codes:not([hidden])");
    types_codes(phone);
    looks(phone, "activate-codes");
    phone.press("#activate-now");
    shows(phone, "activated");
    looks(phone, "activated");
    phone.press("[data-screen=activated] [data-begin]");
    shows(phone, "home");
    looks_at_app(phone, "home", "home");
}

/// Logs in by the code on the screen of `desk`.
fn logs_in(desk: &Person<'_>, phone: &Person<'_>, netbank: &str) {
    desk.browser.open(&format!("{netbank}/?lang=en")).unwrap();
    looks(desk, "netbank-en");
    goes_to_code(desk, netbank);
    // Loading the page of the code again goes on with the same log-in.
    desk.browser.open(&desk.browser.url().unwrap()).unwrap();
    desk.wait("#log-in:not([hidden]) #half-1");
    scans(phone, desk);
    assert_eq!(text(phone, "#asked-party"), "Netbanken");
    assert_eq!(text(phone, "#asked-reference"), "Log på din netbank");
    assert_eq!(text(phone, "#asked-level"), "Betydelig");
    let claimed = text(desk, "#told:not(:empty)");
    assert!(claimed.contains("Godkend der"), "{claimed}");
    // What is before the person stays there when the page is loaded again.
    looks_at_app(phone, "asked", "asked");
    approves(phone);
    shows(phone, "approved");
    looks(phone, "approved");
    desk.wait("#logged-in");
    arrives(desk, netbank);
    looks(desk, "netbank-logged-in");
    assert_eq!(text(desk, "#level"), "Betydelig");
    assert_eq!(text(desk, "#who"), "Søren Ærø Kjærgård");
    assert!(!text(desk, ".claims").contains("dk.cpr"), "a bank gets no personal number");
}

/// Høj cannot be had at home, and the person is told how to get it, on both screens.
fn is_refused_at_high(desk: &Person<'_>, phone: &Person<'_>) {
    desk.press("#high");
    desk.wait("form[action^='/log-in?'] #user_id");
    desk.press("a[href^='/log-in/qr']");
    desk.wait("#log-in:not([hidden]) #half-1");
    scans_until(phone, desk, "#problem[data-reason='log_in.level']");
    let told = text(phone, "#problem");
    assert!(told.contains("personligt fremmøde") && told.contains("Borgercenter"), "{told}");
    looks(phone, "high-refused");
    desk.wait("[data-reason='log_in.level']");
    let told = text(desk, "main");
    assert!(told.contains("personligt fremmøde"), "{told}");
    looks(desk, "high-refused-desk");
    desk.press("a.button[href^='http']");
    desk.wait("#told");
    assert!(text(desk, "#told").contains("Borgercenter"));
    // The session that was open still is.
    desk.wait("#logged-in");
}

/// What a relying party begins by itself waits in the app, and is approved with the keyboard alone.
fn pays(desk: &Person<'_>, phone: &Person<'_>, netbank: &str) {
    desk.press("#pay");
    desk.wait("#look");
    assert!(text(desk, "#told").contains("venter i din app"));
    phone.open("/app");
    shows(phone, "asked");
    assert_eq!(text(phone, "#asked-reference"), "Betal 100 kr. til Cykelhandleren");
    assert_eq!(text(phone, "#asked-action"), "Godkend");
    assert_eq!(
        text(phone, "#asked-begun"),
        "Tjenesten har selv spurgt. Vi ved ikke, hvem der har bedt den om det, eller hvor fra."
    );
    phone.tab_and("#pin", PIN);
    phone.tab_and("#approve", ENTER);
    shows(phone, "approved");
    let deadline = Instant::now() + Duration::from_secs(PATIENCE);
    loop {
        desk.browser.open(netbank).unwrap();
        desk.wait("#told");
        if desk.script("return document.getElementById('pay') !== null") == true {
            break;
        }
        assert!(Instant::now() < deadline, "the payment still waits");
        // Whoever polls too early is told to wait longer.
        sleep(Duration::from_secs(4));
    }
    assert!(text(desk, "#told").contains("godkendt betalingen"));
    looks(desk, "netbank-paid");
}

/// Blocks the app on its own page.
fn blocks(phone: &Person<'_>) {
    starts(phone);
    phone.press("[data-screen=home] [data-open-block]");
    shows(phone, "block");
    looks(phone, "block");
    phone.press("#block-now");
    shows(phone, "blocked");
    looks(phone, "blocked");
    phone.open("/app");
    shows(phone, "welcome");
    // What the browser kept of it is gone.
    let left = "return new Promise((done) => { const opening = indexedDB.open('indrul', 1); \
        opening.onsuccess = () => { const asked = opening.result.transaction('apps') \
        .objectStore('apps').count(); asked.onsuccess = () => done(asked.result); }; })";
    assert_eq!(phone.script(left), 0);
}

/// Waits until the session at a relying party, which was open, has ended.
fn session_ends(desk: &Person<'_>, party: &str) {
    let deadline = Instant::now() + Duration::from_secs(PATIENCE);
    loop {
        desk.browser.open(party).unwrap();
        desk.wait("h1");
        if desk.script("return document.getElementById('logged-in') === null") == true {
            return;
        }
        assert!(Instant::now() < deadline, "the session is still open");
        sleep(Duration::from_millis(500));
    }
}

// proves E3, G2, G3, F1
#[test]
fn a_person_enrols_activates_the_app_on_the_phone_and_logs_in_by_qr_until_the_app_is_blocked() {
    let demo = demo();
    let (desk, phone) = (desk(&demo), phone(&demo));
    looks_at_app(&phone, "welcome", "welcome");
    takes_over(&phone, &desk);
    activates_after_a_mistake(&phone);
    let netbank = relying_party(&demo, "Netbanken");
    logs_in(&desk, &phone, &netbank);
    pays(&desk, &phone, &netbank);
    is_refused_at_high(&desk, &phone);
    blocks(&phone);
    session_ends(&desk, &netbank);
    assert!(text(&desk, "#told").contains("afsluttet"));
    looks(&desk, "netbank-ended");
}

// proves G2
#[test]
fn the_app_on_the_same_device_is_opened_by_the_page_and_leads_back_to_it() {
    let demo = demo();
    let phone = phone_with_app(&demo);
    let borger = relying_party(&demo, "Borger");
    phone.browser.open(&borger).unwrap();
    looks(&phone, "borger");
    goes_to_code(&phone, &borger);
    looks(&phone, "code");
    phone.press("#switch");
    opens(&phone);
    assert_eq!(text(&phone, "#asked-party"), "Borger");
    assert_eq!(warned(&phone), unknown());
    // The wrong PIN is told, and the right one still works.
    phone.fill("pin", "918274");
    phone.press("#approve");
    let told = text(&phone, "#problem:not([hidden])");
    assert!(told.contains("PIN-koden passer ikke"), "{told}");
    looks(&phone, "wrong-pin");
    approves(&phone);
    phone.wait("#logged-in");
    arrives(&phone, &borger);
    looks(&phone, "borger-logged-in");
    assert!(text(&phone, ".claims").contains("dk.cpr"), "an authority gets the personal number");
    phone.press("#log-out");
    phone.wait("#told");
    assert!(text(&phone, "#told").contains("logget af"));

    // What is refused in the app ends at the relying party.
    goes_to_code(&phone, &borger);
    phone.press("#switch");
    opens(&phone);
    phone.press("#refuse");
    shows(&phone, "refused");
    looks(&phone, "refused");
    phone.press("#refused-back");
    phone.press("a.button[href^='http']");
    phone.wait("#told");
    assert!(text(&phone, "#told").contains("ikke logget på"));

    // The messages of the person, by the app's key.
    starts(&phone);
    phone.press("#open-inbox");
    phone.wait("#app[data-shown=inbox] #notices article");
    looks(&phone, "inbox");
}

// proves G2, G3
#[test]
fn what_a_page_brought_is_opened_by_a_press_found_again_and_shown_as_it_is_signed() {
    let demo = demo();
    let phone = phone_with_app(&demo);
    is_unlucky(&phone);
    let borger = relying_party(&demo, "Borger");
    goes_to_code(&phone, &borger);
    phone.press("#switch");
    looks_at_app(&phone, "opened", "opened");
    // An address alone brought nothing before them: nothing of it is found.
    phone.press("#leave-log-in");
    phone.wait("#app[data-shown=home]:not([aria-busy]) #waits:not(:empty)");
    assert!(text(&phone, "#waits").contains("Intet venter"));

    goes_to_code(&phone, &borger);
    phone.press("#switch");
    // A server that is busy says nothing of the log-in, which is opened again.
    shows(&phone, "opened");
    is_busy(&phone, "/log-ins", "#open-log-in");
    opens(&phone);
    // The browser has lost what was before them: the app finds it, and shows nothing but what is signed.
    phone.script("sessionStorage.clear(); localStorage.clear()");
    says(&phone, "test-log-in", "another one");
    phone.open("/app");
    phone.wait("#app[data-shown=home]:not([aria-busy]) #problem[data-reason='app.odd']");
    for (begun, advice) in
        [("new_network", "asked-switched-new"), ("other_network", "asked-switched")]
    {
        is_told(&phone, begun);
        assert_eq!(warned(&phone).1, advice);
        looks_at_app(&phone, advice, "asked");
    }
    phone.script("sessionStorage.clear(); localStorage.clear()");
    phone.open("/app");
    shows(&phone, "asked");
    assert_eq!(text(&phone, "#asked-party"), "Borger");
    assert_eq!(text(&phone, "#asked-action"), "Log på");
    assert_eq!(text(&phone, "#asked-level"), "Betydelig");
    assert_eq!(warned(&phone), unknown());
    // The answer to the approval is lost, and the app is closed: the same is approved again, and the way back is there.
    phone.fill("pin", PIN);
    loses(&phone, "/approval", "#approve");
    phone.script("sessionStorage.clear()");
    phone.open("/app");
    approves(&phone);
    phone.wait("#logged-in");
    arrives(&phone, &borger);

    // What a page has brought is forgotten after five minutes.
    phone.press("#log-out");
    phone.wait("#told");
    goes_to_code(&phone, &borger);
    phone.press("#switch");
    shows(&phone, "opened");
    phone.script(
        "const brought = JSON.parse(sessionStorage.getItem('opening')); \
        sessionStorage.setItem('opening', JSON.stringify({ ...brought, at: brought.at - 301000 }))",
    );
    phone.press("#open-log-in");
    phone.wait("#app[data-shown=home]:not([aria-busy]) #waits:not(:empty)");
    assert!(text(&phone, "#waits").contains("Intet venter"));
}

// proves G2 (where it began is shown)
#[test]
fn the_app_tells_where_a_log_in_began_and_warns_of_a_network_that_none_began_from() {
    let proxy = "[limits]\ntrusted_proxies = [\"127.0.0.1\"]\n";
    let demo = Demo::with(env!("CARGO_BIN_EXE_fixtures"), &[], proxy);
    let (desk, phone) = (desk(&demo), phone_with_app(&demo));
    let netbank = relying_party(&demo, "Netbanken");
    is_unlucky(&phone);
    // The first log-in of all: the phone on a mobile network, and the browser at home.
    comes_from(&phone, "192.0.2.8");
    comes_from(&desk, "203.0.113.77");
    goes_to_code(&desk, &netbank);
    scans(&phone, &desk);
    let home = "En browser på et andet net, end din telefon bruger nu";
    assert_eq!(warned(&phone), (home.to_owned(), "asked-other"));
    looks_at_app(&phone, "asked-other", "asked");
    approves(&phone);
    shows(&phone, "approved");
    desk.wait("#logged-in");
    desk.press("#log-out");
    desk.wait("#told");

    comes_from(&desk, "192.0.77.1");
    goes_to_code(&desk, &netbank);
    scans(&phone, &desk);
    let same = "En browser hos samme internetudbyder som din telefon";
    assert_eq!(warned(&phone), (same.to_owned(), ""));
    // What nobody has known for a day the server has yet to tell; and a newer one may tell more.
    is_told(&phone, "new_network");
    let new = "En browser på et net, som er nyt for dine log-ins";
    assert_eq!(warned(&phone), (new.to_owned(), "asked-new"));
    let told = text(&phone, "#asked-new");
    assert!(told.contains("tryk Afvis") && told.contains("foran dig"), "{told}");
    looks_at_app(&phone, "asked-new", "asked");
    is_told(&phone, "moved_network");
    assert_eq!(warned(&phone), unknown());
    looks_at_app(&phone, "asked-unknown", "asked");
    is_told(&phone, "same_network");
    phone.tab_and("#refuse", ENTER);
    shows(&phone, "refused");
    desk.wait("a.button[href^='http']");
}

// proves E3, G1
#[test]
fn an_activation_whose_answer_was_lost_is_found_again() {
    let demo = demo();
    let phone = phone(&demo);
    is_unlucky(&phone);
    let case = enrolled(&demo, &phone.passport);
    owns(&demo, &phone.browser, &case);
    phone.open("/app");
    shows(&phone, "activate");
    // Who has forgotten the user ID is asked before they begin anew.
    phone.press("#forgotten a");
    phone.wait("#keep");
    phone.open("/app");
    shows(&phone, "activate");
    phone.fill("user-id", USER_ID);
    phone.press("#send-codes");
    phone.wait("#app:not([aria-busy]) #codes:not([hidden])");
    assert_eq!(phone.script("return sessionStorage.getItem('test-asked')"), "to persist");
    types_codes(&phone);
    // A browser that has no room says so, and the page goes on: what was activated is answered again.
    says(&phone, "test-full", "yes");
    phone.press("#activate-now");
    phone.wait("#app[data-shown=activate]:not([aria-busy]) #problem[data-reason='']:not([hidden])");
    phone.script("sessionStorage.removeItem('test-full')");
    loses(&phone, "/app/activation", "#activate-now");
    phone.open("/app");
    shows(&phone, "home");
}

// proves G2
#[test]
fn an_old_code_and_somebody_elses_log_in_are_refused_with_what_to_do() {
    let demo = demo();
    let (desk, phone) = (desk(&demo), phone_with_app(&demo));
    let netbank = relying_party(&demo, "Netbanken");
    goes_to_code(&desk, &netbank);
    film(&demo, &halves(&desk));
    starts(&phone);
    sleep(Duration::from_secs(21));
    phone.press("#scan");
    phone.wait("#app[data-shown=ended] #problem[data-reason='log_in.qr']");
    let told = text(&phone, "#problem");
    assert!(told.contains("for gammel"), "{told}");
    looks(&phone, "old-code");

    // Somebody typed another user ID: this person's app does not fit.
    desk.browser.open(&netbank).unwrap();
    desk.press("#log-in");
    desk.wait("form[action^='/log-in?'] #user_id");
    desk.fill("user_id", "somebody.else");
    desk.press("form[action^='/log-in?'] button");
    desk.wait("#log-in:not([hidden]) #half-1");
    scans_until(&phone, &desk, "#problem[data-reason='log_in.other_person']");
    let told = text(&phone, "#problem");
    assert!(told.contains("andet bruger-ID") && told.contains("svindel"), "{told}");
    looks(&phone, "somebody-else");
    desk.wait("[data-reason='log_in.other_person']");
}

// proves E6
#[test]
fn the_app_is_copied_to_another_phone_and_waits_there() {
    let demo = demo();
    let old = phone_with_app(&demo);
    let new = phone(&demo);
    is_unlucky(&new);
    new.open("/app");
    shows(&new, "welcome");
    // The code is good for three minutes.
    starts(&old);
    old.press("#open-offer");
    shows(&old, "offer");
    old.fill("offer-pin", PIN);
    old.press("#offer-now");
    shows(&old, "offered");
    looks(&old, "offered");
    let code = copy_code(&old);
    film(&demo, &[code]);
    new.press("#copy-here");
    shows(&new, "copy");
    // Loading the page again goes on with the code that was read.
    new.open("/app");
    shows(&new, "copy");
    looks(&new, "copy");
    // A server that is busy does not say that nothing was made: the key stays.
    let read = kept(&new);
    is_busy(&new, "/v1/copies", "#leave-copy");
    assert_eq!(kept(&new), read);
    new.fill("copy-pin", "111111");
    new.fill("copy-pin2", "111111");
    new.press("#copy-now");
    let told = text(&new, "#problem:not([hidden])");
    assert!(told.contains("let at gætte"), "{told}");
    new.fill("copy-pin", "739154");
    new.fill("copy-pin2", "739154");
    // The answer is lost: the app that was made is found again, by the key that was kept before.
    loses(&new, "/v1/copies", "#copy-now");
    new.open("/app");
    shows(&new, "waiting");
    looks(&new, "waiting");
}

// proves E6
#[test]
fn a_tab_that_stands_at_an_old_copy_takes_away_no_app_of_another_tab() {
    let demo = demo();
    let phone = phone(&demo);
    is_unlucky(&phone);
    phone.open("/app");
    shows(&phone, "welcome");
    let app = "{ id: 'another-tabs-app', active: true }";
    let made = "return import('/assets/device.js').then(async (device) => { await device.keep( \
        { ...(await device.newKey()), copy_code: 'an-old-code-of-this-tab' }, () => true); return true; })";
    for press in ["#copy-now", "#leave-copy"] {
        // The server answers as for a code that may still be good, until the tab stands at it.
        assert_eq!(phone.script(made), true);
        says(&phone, "test-waits", "/v1/copies");
        phone.open("/app");
        shows(&phone, "copy");
        another_tab_keeps(&phone, app);
        phone.script("sessionStorage.removeItem('test-waits')");
        phone.fill("copy-pin", "739154");
        phone.fill("copy-pin2", "739154");
        phone.press(press);
        phone.wait("#app:not([aria-busy]) #problem:not([hidden])");
        assert_eq!(kept(&phone), "another-tabs-app", "{press}");
    }
}

#[test]
fn the_shell_works_without_a_connection_and_keeps_no_answer() {
    let demo = demo();
    let phone = phone_with_app(&demo);
    starts(&phone);
    let ready = "return navigator.serviceWorker.ready.then(() => true)";
    assert_eq!(phone.script(ready), true);
    // Once the worker has the page, loading it again goes through it.
    starts(&phone);
    assert_eq!(phone.script("return navigator.serviceWorker.controller !== null"), true);
    let kept = "return caches.keys().then((names) => Promise.all(names.map(async (name) => \
        (await (await caches.open(name)).keys()).map((request) => new URL(request.url).pathname)))) \
        .then((all) => all.flat())";
    let kept = phone.script(kept);
    let kept: Vec<&str> = kept.as_array().unwrap().iter().filter_map(|p| p.as_str()).collect();
    assert!(kept.contains(&"/app") && kept.contains(&"/assets/app.js"), "{kept:?}");
    let shell = |path: &&str| *path == "/app" || path.starts_with("/assets/");
    assert!(kept.iter().all(shell), "{kept:?}");
    // The key cannot be taken out of the browser.
    let key = "return new Promise((done) => { const opening = indexedDB.open('indrul', 1); \
        opening.onsuccess = () => { const asked = opening.result.transaction('apps') \
        .objectStore('apps').get('app'); asked.onsuccess = () => crypto.subtle \
        .exportKey('pkcs8', asked.result.key).then(() => 'taken', (error) => error.name).then(done); }; })";
    assert_eq!(phone.script(key), "InvalidAccessError");
    let url = demo.url().to_owned();
    let browser = phone.browser;
    drop(demo);
    browser.open(&format!("{url}/app")).unwrap();
    browser.wait_for("#problem:not([hidden])", 30).unwrap();
    let told = browser.text("#problem").unwrap();
    assert!(told.contains("ingen forbindelse"), "{told}");
    browser.whole_page(&pictures().join("log-in-offline.png")).unwrap();
}
