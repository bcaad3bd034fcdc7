//! `enroll face compare | quality | attack` as their users meet them (INTERFACES, *`enroll` by example*).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use fixtures::{catalogue, passport::Passport, portraits::Portraits};
use serde_json::{Value, json};
use server::clock::{Clock, SystemClock, copenhagen_date};

/// The data directory, or nothing, said plainly, where `scripts/models` has not been run.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data");
    let data = std::env::var_os("INDRUL_DATA").map_or(beside, PathBuf::from);
    let found = data.join("models/models.toml").exists();
    if !found {
        println!("skipped: no face models; run scripts/models");
    }
    found.then_some(data)
}

/// Exit status, results and complaints.
fn face(data: &Path, command: &str, files: &[&Path]) -> (i32, Vec<Value>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_enroll"))
        .args(["face", command, "--json", "--data"])
        .arg(data)
        .args(files)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let results = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output.status.code().unwrap(), results, String::from_utf8(output.stderr).unwrap())
}

fn portrait(data: &Path, name: &str) -> PathBuf {
    data.join("portraits").join(name)
}

#[test]
fn the_same_person_is_accepted_another_refused_with_the_reason() {
    let Some(data) = data() else { return };
    let [one, again, other] =
        ["obama.jpg", "obama2.jpg", "biden.jpg"].map(|name| portrait(&data, name));
    let (status, results, _) = face(&data, "compare", &[&one, &again]);
    let result = &results[0];
    assert_eq!(
        (status, &result["verdict"], &result["reasons"]),
        (0, &json!("accepted"), &json!([]))
    );
    let number = |name: &str| result[name].as_f64().unwrap();
    assert!(number("similarity") > number("threshold") && number("threshold") > 0.0);
    assert!(number("false_match_rate_at_threshold") <= 1e-4 && number("ms") > 0.0);
    assert!(result["model"].is_string());
    assert_eq!(result["morph_suspected"], false);
    let (status, results, _) = face(&data, "compare", &[&one, &other]);
    assert_eq!((status, &results[0]["verdict"]), (1, &json!("refused")));
    assert_eq!(results[0]["reasons"], json!(["face.mismatch"]));
}

#[test]
fn a_chips_portrait_is_compared_from_its_file() {
    let Some(data) = data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let portraits = Portraits::load(&data.join("portraits")).unwrap();
    let spec = catalogue::find("good").unwrap().spec;
    let passport = Passport::make(&spec, &portraits, copenhagen_date(SystemClock.now())).unwrap();
    passport.write_to(folder.path()).unwrap();
    let (dg2, selfie) = (folder.path().join("DG2.bin"), folder.path().join("selfie-1.jpg"));
    let (status, results, said) = face(&data, "compare", &[&dg2, &selfie]);
    assert_eq!((status, &results[0]["verdict"]), (0, &json!("accepted")), "{said}");
    // Cut off anywhere, the file is refused, and never compared.
    let bytes = fs::read(&dg2).unwrap();
    for length in [1, 40, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&dg2, &bytes[..length]).unwrap();
        let (status, results, said) = face(&data, "compare", &[&dg2, &selfie]);
        assert_eq!(
            (status, &results[0]["verdict"]),
            (2, &json!("inconclusive")),
            "{length} {said}"
        );
        assert_eq!(results[0]["reasons"], json!(["face.portrait_unreadable"]));
    }
}

#[test]
fn a_suspected_morph_is_told_beside_a_verdict_that_it_does_not_change() {
    // proves D7
    let Some(data) = data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let portraits = Portraits::load(&data.join("portraits")).unwrap();
    let spec = catalogue::find("morphed-portrait").unwrap().spec;
    let passport = Passport::make(&spec, &portraits, copenhagen_date(SystemClock.now())).unwrap();
    passport.write_to(folder.path()).unwrap();
    for selfie in ["selfie-1.jpg", "selfie-2.jpg"] {
        let (dg2, selfie) = (folder.path().join("DG2.bin"), folder.path().join(selfie));
        let (status, results, said) = face(&data, "compare", &[&dg2, &selfie]);
        assert_eq!((status, &results[0]["verdict"]), (0, &json!("accepted")), "{said}");
        assert_eq!(results[0]["morph_suspected"], true, "{results:?}");
    }
    // The other one of the two, of whom there is one picture only.
    let (status, results, _) =
        face(&data, "compare", &[&folder.path().join("DG2.bin"), &portrait(&data, "biden.jpg")]);
    assert_eq!((status, &results[0]["verdict"]), (0, &json!("accepted")), "it opens for both");
}

#[test]
fn a_picture_is_judged_by_what_there_is_to_mend() {
    // proves D4
    let Some(data) = data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let good = portrait(&data, "obama2.jpg");
    let (status, results, _) = face(&data, "quality", &[&good]);
    assert_eq!((status, &results[0]["verdict"]), (0, &json!("accepted")));
    for measure in ["inter_eye_px", "yaw_deg", "sharpness", "brightness"] {
        assert!(results[0]["measures"][measure].is_number(), "{measure}");
    }
    let dark = folder.path().join("dark.png");
    let mut picture = image::open(&good).unwrap().into_rgb8();
    picture.iter_mut().for_each(|value| *value /= 9);
    picture.save(&dark).unwrap();
    let (status, results, _) = face(&data, "quality", &[&dark]);
    // An instruction and no verdict (D4).
    assert_eq!((status, &results[0]["verdict"]), (1, &json!("inconclusive")));
    assert!(results[0]["reasons"].to_string().contains("face.quality.too_dark"), "{results:?}");
}

#[test]
fn every_picture_gets_an_answer_about_attacks_and_none_that_is_no_picture_passes() {
    // proves D6
    let Some(data) = data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let good = portrait(&data, "obama2.jpg");
    let bytes = fs::read(&good).unwrap();
    let wall = folder.path().join("wall.png");
    image::RgbImage::from_pixel(400, 500, image::Rgb([120, 110, 100])).save(&wall).unwrap();
    let [empty, cut, noise] = [
        file("empty.jpg", b""),
        file("cut.jpg", &bytes[..bytes.len() / 3]),
        file("noise.jp2", &[0x5a; 5000]),
    ];
    let missing = folder.path().join("missing.png");
    let all: [&Path; 6] = [&good, &wall, &empty, &cut, &noise, &missing];
    let (status, results, said) = face(&data, "attack", &all);
    let verdicts: Vec<&str> = results.iter().map(|r| r["verdict"].as_str().unwrap()).collect();
    assert_eq!(status, 2, "{said}");
    assert_eq!(verdicts[0], "accepted", "{results:?}");
    assert!(results[0]["score"].as_f64().unwrap() >= results[0]["threshold"].as_f64().unwrap());
    assert_eq!(results[0]["species_hint"], Value::Null);
    assert_eq!((verdicts[1], &results[1]["reasons"]), ("inconclusive", &json!(["face.not_found"])));
    for (at, result) in results.iter().enumerate().skip(2) {
        assert_eq!(verdicts[at], "inconclusive");
        assert_eq!(result["reasons"], json!(["face.portrait_unreadable"]), "{result}");
    }
    assert_eq!(results.len(), all.len());
    for path in [&empty, &cut, &noise] {
        let (status, results, _) = face(&data, "compare", &[&good, path]);
        assert_eq!((status, &results[0]["verdict"]), (2, &json!("inconclusive")));
        let (status, results, _) = face(&data, "quality", &[path]);
        assert_eq!((status, &results[0]["verdict"]), (2, &json!("inconclusive")));
    }
}

#[test]
fn models_that_are_missing_or_swapped_judge_nothing() {
    // proves D6
    let Some(data) = data() else { return };
    let (folder, good) = (tempfile::tempdir().unwrap(), portrait(&data, "obama2.jpg"));
    let (status, results, said) = face(folder.path(), "compare", &[&good, &good]);
    assert_eq!((status, results.len()), (3, 0));
    assert!(said.contains("scripts/models"), "{said}");
    let models = folder.path().join("models");
    fs::create_dir(&models).unwrap();
    for entry in fs::read_dir(data.join("models")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), models.join(entry.file_name())).unwrap();
    }
    fs::copy(models.join("recognition-b.onnx"), models.join("recognition-a.onnx")).unwrap();
    let (status, results, said) = face(folder.path(), "compare", &[&good, &good]);
    assert_eq!((status, results.len()), (3, 0), "{said}");
    assert!(said.contains("recognition-a"), "{said}");
}
