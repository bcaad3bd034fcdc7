use super::*;

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

#[test]
fn the_environment_overrides_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("indrul.toml");
    std::fs::write(&file, "[relay]\nmax_frame = 1\ndeadline_ms = 7\n").unwrap();
    let vars = env(&[("INDRUL_RELAY__MAX_FRAME", "4096"), ("INDRUL_DATA", "/x"), ("HOME", "/")]);
    let config = Config::load(Some(&file), vars).unwrap();
    assert_eq!((config.relay.max_frame, config.relay.deadline_ms), (4096, 7));
}

#[test]
fn a_secret_is_a_value_or_a_file_and_is_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("url");
    std::fs::write(&file, "postgres://user:hemmeligt@db/indrul\n").unwrap();
    let vars = env(&[("INDRUL_DATABASE__URL_FILE", file.to_str().unwrap())]);
    let config = Config::load(None, vars).unwrap();
    assert_eq!(
        config.database.url.as_ref().unwrap().expose(),
        "postgres://user:hemmeligt@db/indrul"
    );
    assert!(!format!("{config:?}").contains("hemmeligt"));
}

#[test]
fn a_secret_of_digits_is_taken_as_it_is_written() {
    for pin in ["1234", "0012", "-1", "12 34", "[1234]", "[\"x\"]", "[]", "{}", "\"x\""] {
        let config = Config::load(None, env(&[("INDRUL_KEYS__TOKEN_PIN", pin)])).unwrap();
        assert_eq!(config.keys.token_pin.unwrap().expose(), pin);
    }
}

#[test]
fn every_secret_is_known_as_one() {
    // Each field of that type, by the text: no value says which fields there are.
    let fields = include_str!("../config.rs").matches(": Option<Secret>,").count();
    let known: std::collections::BTreeSet<&str> = SECRETS.into_iter().collect();
    assert_eq!(known.len(), fields);
    for name in known {
        let variable = format!("INDRUL_{}", name.to_uppercase());
        let loaded = Config::load(None, env(&[(&variable, "[\"x\"]")]));
        // Too short for some, but neither unknown nor of the wrong kind.
        assert!(!matches!(loaded, Err(ConfigError::Value(_))), "{variable}");
    }
}

#[test]
fn a_delivery_takes_at_most_half_of_a_claim() {
    let load = |timeout| Config::load(None, env(&[("INDRUL_NOTICES__TIMEOUT_MS", timeout)]));
    assert!(load("30000").is_ok());
    assert!(matches!(load("30001"), Err(ConfigError::Claim)));
}

#[test]
fn proxies_are_named_by_addresses_and_ranges() {
    let load = |proxies| Config::load(None, env(&[("INDRUL_LIMITS__TRUSTED_PROXIES", proxies)]));
    let named = load(r#"["192.0.2.1", "10.0.0.0/8"]"#).unwrap().limits.trusted_proxies;
    assert_eq!(named, ["192.0.2.1", "10.0.0.0/8"].map(|proxy| proxy.parse().unwrap()));
    for wrong in [r#"["10.0.0.1/8"]"#, r#"["0.0.0.0/1"]"#, r#"["proxy"]"#, "[1]", "10.0.0.1"] {
        assert!(matches!(load(wrong), Err(ConfigError::Value(_))), "{wrong}");
    }
}

#[test]
fn the_environment_reaches_lists_and_inner_sections() {
    let variables = [
        ("INDRUL_POLICY__DOCUMENT_CODES", "[\"P\", \"PO\"]"),
        ("INDRUL_POLICY__OFFICER__WARN_S", "77"),
    ];
    let config = Config::load(None, env(&variables)).unwrap();
    assert_eq!(config.policy.document_codes, ["P", "PO"]);
    assert_eq!(config.policy.officer.warn_s, 77);
    let none = [("INDRUL_RELAY__MAX_FRAME", "1"), ("INDRUL_RELAY__MAX_FRAME__MORE", "1")];
    assert!(matches!(Config::load(None, env(&none)), Err(ConfigError::Override { .. })));
    let unknown = Config::load(None, env(&[("INDRUL_POLICY__OFFICERS__WARN_S", "1")]));
    assert!(matches!(unknown, Err(ConfigError::Value(_))));
}

#[test]
fn whoever_types_may_wait_for_a_turn() {
    let load = |wait| Config::load(None, env(&[("INDRUL_LIMITS__TYPING_WAIT_S", wait)]));
    assert_eq!(load("1").unwrap().limits.typing_wait_s, 1);
    assert!(matches!(load("0"), Err(ConfigError::TypingWait)));
}

#[test]
fn each_kiosk_has_a_name_and_a_long_token() {
    let load = |text: &str| Config::load(None, env(&[("INDRUL_KIOSKS__TOKENS", text)]));
    let token = "0123456789abcdef0123456789abcdef";
    let two = load(&format!("kiosk-1 {token}\n\nkiosk-2  {token}x\n")).unwrap();
    let known = two.kiosks.known().unwrap();
    assert_eq!((known[0].0.as_str(), known[1].0.as_str()), ("kiosk-1", "kiosk-2"));
    assert_ne!(known[0].1, known[1].1);
    for bad in ["kiosk-1", "kiosk-1 short", &format!("Kiosk {token}"), &format!(" {token}")] {
        assert!(matches!(load(bad), Err(ConfigError::Kiosks { line: 1 })), "{bad}");
    }
    assert!(Config::load(None, env(&[])).unwrap().kiosks.known().unwrap().is_empty());
}

#[test]
fn a_token_for_events_is_long() {
    let load = |token: &str| Config::load(None, env(&[("INDRUL_REGISTERS__EVENTS_TOKEN", token)]));
    assert!(matches!(load("short"), Err(ConfigError::EventsToken)));
    assert!(load("0123456789abcdef0123456789abcdef").is_ok());
}

#[test]
fn unknown_names_are_refused() {
    let unknown = Config::load(None, env(&[("INDRUL_RELAY__MAX_FRAMES", "1")]));
    assert!(matches!(unknown, Err(ConfigError::Value(_))));
    let section = Config::load(None, env(&[("INDRUL_RELAYS__MAX_FRAME", "1")]));
    assert!(matches!(section, Err(ConfigError::Value(_))));
}
