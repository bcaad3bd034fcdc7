//! What one frame of a capture shows.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use image::RgbImage;

use crate::detect::Bounds;
use crate::geometry::Point;
use crate::mesh::{Mesh, Pose};

/// Points of the cheeks, the forehead, the nose and the chin, where there is skin: many, for a head
/// that turns takes those on its far side out of sight, and the room behind comes in their place.
const SKIN: [usize; 23] = [
    50, 101, 118, 36, 205, 280, 330, 347, 266, 425, 108, 69, 104, 337, 299, 333, 151, 9, 6, 197,
    195, 5, 200,
];
/// Half a patch of skin, in distances between the eyes.
const PATCH: f32 = 0.08;
/// Values from here on may be cut off, and their colour with them.
const BURNT_OUT: u8 = 250;
/// The share of a patch's pixels that may be burnt out.
const MOST_BURNT: f32 = 0.05;
/// What is around the face begins this much of its width beside it.
const BESIDE: f32 = 0.3;
/// What is around the face ends this much of its height below its top: lower are shoulders.
const ABOVE: f32 = 0.5;
/// Every so many pixels are looked at around the face.
const STRIDE: u32 = 3;
/// A place in the scene is a square of this many strides.
const PLACE: u32 = 3;

/// A frame with its face.
pub(super) struct Sight {
    pub(super) number: u32,
    pub(super) at_ms: f32,
    pub(super) mesh: Mesh,
    pub(super) pose: Pose,
    /// Mean linear light of each patch of skin, red, green, blue; none where it is burnt out or out of
    /// the picture.
    pub(super) skin: [Option<[f32; 3]>; SKIN.len()],
    /// Of each place around the face: the light of one place is compared with its own only, for other
    /// places come to light when the head moves.
    pub(super) scene: BTreeMap<(u32, u32), [f32; 3]>,
}

impl Sight {
    pub(super) fn of(
        image: &RgbImage,
        (number, at_ms): (u32, u32),
        mesh: Mesh,
        neutral_pitch: f32,
    ) -> Sight {
        let pose = mesh.pose(neutral_pitch);
        let skin = skin(image, &mesh);
        let scene = scene(image, &mesh.bounds());
        Sight { number, at_ms: at_ms as f32, mesh, pose, skin, scene }
    }
}

/// A sum of linear light.
#[derive(Clone, Copy, Default)]
struct Light {
    sum: [f32; 3],
    count: f32,
}

impl Light {
    fn add(&mut self, pixel: [u8; 3]) {
        let light = |value: u8| LINEAR.get(usize::from(value)).copied().unwrap_or(f32::NAN);
        self.sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += light(value));
        self.count += 1.0;
    }

    fn mean(&self) -> [f32; 3] {
        self.sum.map(|sum| sum / self.count.max(1.0))
    }
}

/// Close to that of sRGB (IEC 61966-2-1).
const GAMMA: f32 = 2.2;
/// The linear light of each value.
static LINEAR: LazyLock<[f32; 256]> =
    LazyLock::new(|| std::array::from_fn(|value| (value as f32 / 255.0).powf(GAMMA)));

fn skin(image: &RgbImage, mesh: &Mesh) -> [Option<[f32; 3]>; SKIN.len()] {
    let half = PATCH * mesh.inter_eye();
    SKIN.map(|index| patch(image, mesh.at(index), half))
}

fn patch(image: &RgbImage, centre: Point, half: f32) -> Option<[f32; 3]> {
    let (mut light, mut burnt) = (Light::default(), 0.0);
    let across = pixels(centre.x - half, centre.x + half, image.width());
    for y in pixels(centre.y - half, centre.y + half, image.height()) {
        for x in across.clone() {
            let values = image.get_pixel(x, y).0;
            burnt += f32::from(u8::from(values.iter().any(|value| *value >= BURNT_OUT)));
            light.add(values);
        }
    }
    (light.count > 0.0 && burnt <= MOST_BURNT * light.count).then(|| light.mean())
}

/// The whole pixels from one place to another in a picture so long.
fn pixels(from: f32, to: f32, length: u32) -> std::ops::Range<u32> {
    from.max(0.0) as u32..(to.max(0.0) as u32).min(length)
}

/// The picture without the face, the shoulders and what is close to them, by places that are seen
/// almost whole.
fn scene(image: &RgbImage, face: &Bounds) -> BTreeMap<(u32, u32), [f32; 3]> {
    let mut places: BTreeMap<(u32, u32), Light> = BTreeMap::new();
    let (left, right) = (face.x - BESIDE * face.width, face.x + (1.0 + BESIDE) * face.width);
    let rows = pixels(0.0, face.y + ABOVE * face.height, image.height());
    for y in rows.step_by(STRIDE as usize) {
        for x in (0..image.width()).step_by(STRIDE as usize) {
            if !(left..right).contains(&(x as f32)) {
                let place = (x / (STRIDE * PLACE), y / (STRIDE * PLACE));
                places.entry(place).or_default().add(image.get_pixel(x, y).0);
            }
        }
    }
    let whole = (PLACE * PLACE) as f32;
    let seen = places.into_iter().filter(|(_, light)| light.count >= 0.8 * whole);
    seen.map(|(place, light)| (place, light.mean())).collect()
}

/// The face's middle, in distances between the eyes to compare by.
pub(super) fn middle(mesh: &Mesh) -> Point {
    mesh.bounds().centre()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::challenge::script::{Direction, Script, Turn};

    /// A head of 468 points as wide as 100 pixels: a bowl with a nose, the named points in their
    /// places. `flat` takes its depth away.
    pub(in crate::challenge) fn head(flat: bool) -> Vec<[f32; 3]> {
        let bowl = |x: f32, y: f32| {
            let nose = -35.0 * (-(x * x + (y - 5.0) * (y - 5.0)) / 300.0).exp();
            [x, y, (x * x + y * y) / 90.0 + nose]
        };
        let mut points: Vec<_> = (0..468)
            .map(|i| bowl((i % 22) as f32 * 4.0 - 42.0, (i / 22) as f32 * 4.5 - 47.0))
            .collect();
        let named = [
            (33, -30.0, -20.0),
            (133, -14.0, -20.0),
            (362, 14.0, -20.0),
            (263, 30.0, -20.0),
            (1, 0.0, 5.0),
            (234, -50.0, 0.0),
            (454, 50.0, 0.0),
            (10, 0.0, -60.0),
            (152, 0.0, 60.0),
        ];
        for (index, x, y) in named {
            points[index] = bowl(x, y);
        }
        points.iter_mut().filter(|_| flat).for_each(|point| point[2] = 0.0);
        points
    }

    fn turned([x, y, z]: [f32; 3], yaw: f32, pitch: f32) -> [f32; 3] {
        let (sin, cos) = yaw.to_radians().sin_cos();
        let (x, z) = (x * cos - z * sin, z * cos + x * sin);
        let (sin, cos) = pitch.to_radians().sin_cos();
        [x + 180.0, y * cos + z * sin + 240.0, z * cos - y * sin]
    }

    /// How a made-up person follows a script.
    #[derive(Clone, Copy)]
    pub(in crate::challenge) struct Acting {
        /// How far the head turns, in degrees.
        pub(in crate::challenge) far: f32,
        pub(in crate::challenge) late_ms: f32,
        pub(in crate::challenge) flat: bool,
        /// How strong the screen is on the face, and on what is around it.
        pub(in crate::challenge) gain: [f32; 2],
    }

    pub(in crate::challenge) const GOOD: Acting =
        Acting { far: 20.0, late_ms: 400.0, flat: false, gain: [0.1, 0.005] };

    fn pose(turn: Option<&Turn>, far: f32) -> (f32, f32) {
        match turn.map(|turn| turn.to) {
            Some(Direction::Left) => (far, 0.0),
            Some(Direction::Right) => (-far, 0.0),
            Some(Direction::Up) => (0.0, far),
            Some(Direction::Down) => (0.0, -far),
            None => (0.0, 0.0),
        }
    }

    /// That of the screen at a time.
    fn light(script: &Script, at_ms: f32) -> [f32; 3] {
        let begun = script.flashes.iter().take_while(|flash| flash.at_ms as f32 <= at_ms);
        begun.last().map_or([0.0; 3], |flash| flash.colour.light())
    }

    /// What would be seen of that: turns take no time, but every frame has a little of its own.
    pub(in crate::challenge) fn acted(script: &Script, acting: Acting) -> Vec<Sight> {
        let every = script.frame_every_ms;
        let frame = |number: u32| {
            let at_ms = (number * every) as f32;
            let then = at_ms - acting.late_ms;
            let now = |turn: &&Turn| (turn.at_ms as f32..turn.until_ms as f32).contains(&then);
            let (yaw, pitch) = pose(script.turns.iter().find(now), acting.far);
            let places = head(acting.flat).into_iter().map(|point| turned(point, yaw, pitch));
            let mesh = Mesh::of(&places.collect::<Vec<_>>());
            let screen = light(script, at_ms - 100.0);
            let lit = |light: [f32; 3], gain: f32| {
                let mut lit = light;
                lit.iter_mut().zip(screen).for_each(|(lit, on)| *lit *= 1.0 + gain * on);
                lit
            };
            let [face, around] = acting.gain;
            Sight {
                number,
                at_ms,
                pose: mesh.pose(0.0),
                mesh,
                skin: [Some(lit([0.4, 0.25, 0.2], face)); SKIN.len()],
                scene: (1..21)
                    .map(|i| ((i, 0), lit([0.3, 0.3, 0.02 * i as f32], around)))
                    .collect(),
            }
        };
        (0..=script.duration_ms / every).map(frame).collect()
    }

    #[test]
    fn skin_and_surroundings_are_told_apart() {
        let places: Vec<_> = head(false).into_iter().map(|point| turned(point, 0.0, 0.0)).collect();
        let mesh = Mesh::of(&places);
        let face = mesh.bounds();
        let inside = |x: u32, y: u32| {
            let (x, y) = (x as f32, y as f32);
            (face.x..face.x + face.width).contains(&x)
                && (face.y..face.y + face.height).contains(&y)
        };
        let image = RgbImage::from_fn(360, 480, |x, y| {
            image::Rgb(if inside(x, y) { [200, 0, 0] } else { [0, 0, 255] })
        });
        let sight = Sight::of(&image, (3, 450), mesh, 0.0);
        assert_eq!((sight.number, sight.at_ms), (3, 450.0));
        let red = |light: &Option<[f32; 3]>| {
            light.is_some_and(|[red, green, blue]| red > 0.5 && [green, blue] == [0.0; 2])
        };
        assert!(sight.skin.iter().all(red), "{:?}", sight.skin);
        assert!(sight.scene.len() > 20);
        assert!(sight.scene.values().all(|light| *light == [0.0, 0.0, 1.0]));
    }

    #[test]
    fn skin_that_is_burnt_out_or_out_of_the_picture_has_no_light() {
        let at = |x: f32| {
            let places = head(false).into_iter().map(|point| turned(point, 0.0, 0.0));
            let places: Vec<_> = places.map(|[px, y, z]| [px + x, y, z]).collect();
            Mesh::of(&places)
        };
        let lit = |value: u8, x: f32| {
            let image = RgbImage::from_pixel(360, 480, image::Rgb([value, 120, 90]));
            skin(&image, &at(x)).iter().flatten().count()
        };
        assert_eq!(lit(249, 0.0), SKIN.len());
        assert_eq!(lit(250, 0.0), 0);
        assert_eq!(lit(200, 1000.0), 0);
    }

    #[test]
    fn a_face_that_fills_the_picture_has_no_surroundings() {
        let places: Vec<_> = head(false)
            .into_iter()
            .map(|[x, y, z]| [2.0 * x + 100.0, 2.0 * y + 120.0, z])
            .collect();
        let sight = Sight::of(&RgbImage::new(200, 240), (0, 0), Mesh::of(&places), 0.0);
        assert!(sight.scene.is_empty());
    }
}
