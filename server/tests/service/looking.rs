//! Looking through a camera: frames advise the person, and a video of the page is one try.

use super::enrolment::Case;
use super::station::{Station, passport};
use enroll_core::reason::ReasonCode;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use server::app::{AppError, PageLook};
use std::io::Cursor;

/// A wall.
fn wall() -> Vec<u8> {
    let mut png = Cursor::new(Vec::new());
    let grey = RgbImage::from_pixel(640, 400, Rgb([150, 150, 150]));
    DynamicImage::from(grey).write_to(&mut png, ImageFormat::Png).unwrap();
    png.into_inner()
}

fn look(station: &Station, case: &Case<'_>, frame: &[u8]) -> Result<PageLook, AppError> {
    station.runtime.block_on(async {
        let access = station.app.authorise(&case.id, &case.token).await?;
        station.app.look_at_page(access, frame.to_vec()).await
    })
}

fn tried(station: &Station, case: &Case<'_>) -> u16 {
    let id = case.id.parse().unwrap();
    let read = async { station.store.read().await.unwrap().enrolment(id).await.unwrap() };
    station.runtime.block_on(read).unwrap().record.case.tried.page
}

#[test]
fn a_video_of_the_page_is_one_try_however_many_frames_it_has() {
    // proves D4, D5 (of the page)
    let good = passport("good");
    let station = Station::start(&[&good], |_| {});
    let case = Case::start(&station, &good.holder.cpr);
    for _ in 0..12 {
        let seen = look(&station, &case, &wall()).unwrap();
        assert!(matches!(seen, PageLook::NotFound(_)), "{seen:?}");
    }
    let no_picture = look(&station, &case, b"no picture");
    let unreadable = ReasonCode::MRZ_PICTURE_UNREADABLE;
    assert!(matches!(no_picture, Err(AppError::Reason(reason)) if reason == unreadable));
    assert_eq!(look(&station, &case, &good.page_png().unwrap()).unwrap(), PageLook::Read);
    assert_eq!(case.call("GET", "", "", b"").1["state"], "page_read");
    assert_eq!(tried(&station, &case), 1);
    // The next video is another try.
    look(&station, &case, &wall()).unwrap();
    assert_eq!(tried(&station, &case), 2);
}

#[test]
fn no_video_is_looked_at_once_the_page_was_tried_too_often() {
    // proves D5 (of the page)
    let good = passport("good");
    let station = Station::start(&[&good], |config| config.policy.attempts.page = 1);
    let case = Case::start(&station, &good.holder.cpr);
    look(&station, &case, &good.page_png().unwrap()).unwrap();
    let again = look(&station, &case, &wall());
    let attempts = ReasonCode::CASE_ATTEMPTS;
    assert!(matches!(again, Err(AppError::Reason(reason)) if reason == attempts));
}

#[test]
fn a_face_is_not_looked_at_before_the_chip_is_read() {
    let good = passport("good");
    let station = Station::start(&[&good], |_| {});
    let case = Case::start(&station, &good.holder.cpr);
    case.page(&good.mrz_lines);
    let looked = station.runtime.block_on(async {
        let access = station.app.authorise(&case.id, &case.token).await?;
        station.app.look_at_face(access, wall()).await
    });
    assert!(matches!(looked, Err(AppError::Reason(reason)) if reason == ReasonCode::CASE_STATE));
}
