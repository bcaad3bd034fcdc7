//! The real engine on the fixture portraits: three pictures of one person, one of another.
//!
//! The models come from `scripts/models`; without them these tests fail and say so.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use image::{RgbImage, imageops};
use liveness::{Engine, Face, FaceError, QualityReason, portrait};

static DATA: LazyLock<PathBuf> = LazyLock::new(data);
static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::load(&DATA.join("models")).unwrap());

/// `INDRUL_DATA`, else the workspace's `data`, else the cache's.
fn data() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data");
    let cache = env::var("XDG_CACHE_HOME")
        .unwrap_or_else(|_| format!("{}/.cache", env::var("HOME").unwrap_or_default()));
    let named = env::var("INDRUL_DATA").map(PathBuf::from);
    let places = named.into_iter().chain([workspace, Path::new(&cache).join("indrul/data")]);
    places
        .into_iter()
        .find(|place| place.join("models/models.toml").is_file())
        .expect("the models are missing: run scripts/models")
}

fn picture(name: &str) -> RgbImage {
    portrait::decode(&fs::read(DATA.join("portraits").join(name)).unwrap()).unwrap()
}

fn face(name: &str) -> Face {
    ENGINE.analyse(&picture(name)).unwrap()
}

fn scaled(image: &RgbImage, factor: f32) -> RgbImage {
    let side = |length: u32| (length as f32 * factor) as u32;
    let (width, height) = (side(image.width()), side(image.height()));
    imageops::resize(image, width, height, imageops::FilterType::Triangle)
}

#[test]
fn the_same_person_is_accepted_and_another_refused() {
    // proves D1
    let holder = face("obama.jpg");
    for name in ["obama2.jpg", "obama3.jpg"] {
        let comparison = ENGINE.compare(&holder.template, &face(name).template);
        assert!(comparison.accepted, "{name}: {comparison:?}");
        assert_eq!(comparison.code(), None);
    }
    let comparison = ENGINE.compare(&holder.template, &face("biden.jpg").template);
    assert!(!comparison.accepted, "{comparison:?}");
    assert_eq!(comparison.code(), Some("face.mismatch"));
    assert!(comparison.similarity < comparison.threshold - 0.1, "{comparison:?}");
    assert!(comparison.false_match_rate <= 1e-4);
}
