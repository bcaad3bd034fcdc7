//! 468 points of a face: MediaPipe's Face Mesh (Kartynnik et al. 2019, arXiv:1907.06724).
//!
//! The numbers of the points are those of MediaPipe's canonical face model.

use std::f32::consts::PI;

use image::RgbImage;
use serde::Serialize;

use crate::crop::{Channel, Crop};
use crate::detect::{Bounds, Detection, sigmoid};
use crate::geometry::{Affine, Point};
use crate::model::{Network, RunError};

pub(crate) const POINTS: usize = 468;
/// The crop is this many times as wide as the detector's box.
const MARGIN: f32 = 1.5;
/// Below this the crop shows no face.
const MIN_PRESENCE: f32 = 0.5;
/// Log-odds above which nothing better is looked for: 99 of 100 upright faces have more, a face that
/// is fitted upside down has less.
const SURE: f32 = 12.0;

const LEFT_EYE: [usize; 2] = [33, 133];
const RIGHT_EYE: [usize; 2] = [362, 263];
const NOSE_TIP: usize = 1;
const MOUTH: [usize; 2] = [61, 291];
/// Points of the inner lips, upper and lower.
const LIPS: [[usize; 2]; 3] = [[82, 87], [13, 14], [312, 317]];
const SIDES: [usize; 2] = [234, 454];
const FOREHEAD: usize = 10;
const CHIN: usize = 152;

/// Where the head points, in degrees; all zero looking straight into the camera.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Pose {
    /// Positive when the nose points to the picture's right.
    pub yaw: f32,
    /// Positive when the person looks up.
    pub pitch: f32,
    /// Positive when the head is turned clockwise on the screen.
    pub roll: f32,
}

/// A point with depth; z grows away from the camera, in the same pixels.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Vertex {
    pub(crate) place: Point,
    pub(crate) z: f32,
}

/// The face's points in the picture's pixels.
pub(crate) struct Mesh {
    vertices: Vec<Vertex>,
    presence: f32,
}

/// An eye from corner to corner.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Eye {
    pub(crate) middle: Point,
    pub(crate) width: f32,
}

/// What the network is shown: a square, perhaps turned.
#[derive(Clone, Copy)]
struct Square {
    centre: Point,
    width: f32,
    angle: f32,
}

impl Mesh {
    /// Fits the mesh to a detected face. None where the network sees no face there.
    ///
    /// The detector takes the eyes of a face that hangs upside down for one another: where the first
    /// fit is poor, one turned by half a circle is tried, and if that is better, once more about what
    /// it found.
    pub(crate) fn fit(
        network: &Network,
        image: &RgbImage,
        face: &Detection,
    ) -> Result<Option<Mesh>, RunError> {
        let [left, right] = face.eyes;
        let square = Square {
            centre: face.bounds.centre(),
            width: MARGIN * face.bounds.width.max(face.bounds.height),
            angle: left.direction(right),
        };
        let mut mesh = Mesh::fit_square(network, image, square)?;
        if mesh.presence < SURE {
            let turned = Square { angle: square.angle + PI, ..square };
            let turned = Mesh::fit_square(network, image, turned)?;
            if turned.presence > mesh.presence {
                let again = Mesh::fit_square(network, image, turned.square())?;
                mesh = if again.presence > turned.presence { again } else { turned };
            }
        }
        Ok((sigmoid(mesh.presence) >= MIN_PRESENCE).then_some(mesh))
    }

    fn fit_square(
        network: &Network,
        image: &RgbImage,
        Square { centre, width, angle }: Square,
    ) -> Result<Mesh, RunError> {
        let side = network.side();
        let map = Affine::crop(centre, width, angle, side as f32);
        let input = Crop::sample(image, &map, side).planes(Channel::RGB, |v| v / 255.0);
        let [values, presence] = network.run(input, [POINTS * 3, 1])?;
        let depth = width / side as f32;
        let vertices = values.chunks(3).map(|xyz| match *xyz {
            [x, y, z] => Vertex { place: map.apply(Point::new(x, y)), z: z * depth },
            _ => Vertex::default(),
        });
        let presence = presence.first().copied().unwrap_or(f32::NEG_INFINITY);
        Ok(Mesh { vertices: vertices.collect(), presence })
    }

    /// About the whole mesh, along the eyes.
    fn square(&self) -> Square {
        let Bounds { width, height, .. } = self.bounds();
        let angle = self.roll();
        Square { centre: self.bounds().centre(), width: MARGIN * width.max(height), angle }
    }

    /// Log-odds that this is a face, as the network sees it: lower where something covers it.
    pub(crate) fn presence(&self) -> f32 {
        self.presence
    }

    #[cfg(test)]
    pub(crate) fn of(places: &[[f32; 3]]) -> Mesh {
        let vertex = |&[x, y, z]: &[f32; 3]| Vertex { place: Point::new(x, y), z };
        Mesh { vertices: places.iter().map(vertex).collect(), presence: f32::INFINITY }
    }

    pub(crate) fn points(&self) -> impl Iterator<Item = Point> + Clone {
        self.vertices.iter().map(|v| v.place)
    }

    /// x, y and depth of each point.
    pub(crate) fn places(&self) -> impl Iterator<Item = [f32; 3]> + '_ {
        self.vertices.iter().map(|v| [v.place.x, v.place.y, v.z])
    }

    /// How far the head is turned clockwise on the screen, in radians.
    pub(crate) fn tilt(&self) -> f32 {
        self.eye(LEFT_EYE).direction(self.eye(RIGHT_EYE))
    }

    pub(crate) fn bounds(&self) -> Bounds {
        Bounds::around(self.points())
    }

    /// The five points by which faces are aligned: eyes, nose, mouth corners, left first.
    pub(crate) fn five(&self) -> [Point; 5] {
        let [mouth_left, mouth_right] = MOUTH.map(|i| self.at(i));
        [self.eye(LEFT_EYE), self.eye(RIGHT_EYE), self.at(NOSE_TIP), mouth_left, mouth_right]
    }

    /// The distance between the eyes' centres in pixels.
    pub(crate) fn inter_eye(&self) -> f32 {
        self.eye(LEFT_EYE).distance(self.eye(RIGHT_EYE))
    }

    /// Both eyes, the picture's left first in an upright face.
    pub(crate) fn eyes(&self) -> [Eye; 2] {
        [LEFT_EYE, RIGHT_EYE].map(|corners| {
            let [one, other] = corners.map(|i| self.at(i));
            Eye { middle: one.between(other), width: one.distance(other) }
        })
    }

    /// From between the eyes to the chin: T of ISO/IEC 29794-5, the measure of a head in a picture.
    pub(crate) fn length(&self) -> f32 {
        self.eye(LEFT_EYE).between(self.eye(RIGHT_EYE)).distance(self.at(CHIN))
    }

    /// The widest gap between the inner lips.
    pub(crate) fn mouth_gap(&self) -> f32 {
        LIPS.map(|[upper, lower]| self.at(upper).distance(self.at(lower)))
            .into_iter()
            .fold(0.0, f32::max)
    }

    /// Which way the eyes lie, in radians, clockwise on the screen.
    pub(crate) fn roll(&self) -> f32 {
        self.eye(LEFT_EYE).direction(self.eye(RIGHT_EYE))
    }

    /// From the mesh's own depth. `neutral_pitch` is what the line from forehead to chin of a
    /// person looking straight ahead is tilted by.
    pub(crate) fn pose(&self, neutral_pitch: f32) -> Pose {
        let [left, right] = SIDES.map(|i| self.vertex(i));
        let (forehead, chin) = (self.vertex(FOREHEAD), self.vertex(CHIN));
        let tilt = (forehead.z - chin.z).atan2(forehead.place.distance(chin.place));
        Pose {
            yaw: (right.z - left.z).atan2(left.place.distance(right.place)).to_degrees(),
            pitch: tilt.to_degrees() - neutral_pitch,
            roll: self.roll().to_degrees(),
        }
    }

    fn eye(&self, corners: [usize; 2]) -> Point {
        let [outer, inner] = corners.map(|i| self.at(i));
        outer.between(inner)
    }

    pub(crate) fn at(&self, index: usize) -> Point {
        self.vertex(index).place
    }

    fn vertex(&self, index: usize) -> Vertex {
        self.vertices.get(index).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Role;
    use crate::model::fake;

    const DETECTION: Detection = Detection {
        score: 1.0,
        bounds: Bounds { x: 50.0, y: 50.0, width: 100.0, height: 100.0 },
        eyes: [Point { x: 80.0, y: 90.0 }, Point { x: 120.0, y: 90.0 }],
    };

    /// A landmark network that puts the given points at these places of its 192 pixels.
    fn network(points: &'static [(usize, [f32; 3])], presence: f32) -> Network {
        fake::network(Role::Landmarks, 192, move |_| {
            let mut values = vec![96.0; POINTS * 3];
            for (index, xyz) in points {
                values[index * 3..][..3].copy_from_slice(xyz);
            }
            vec![values, vec![presence]]
        })
    }

    fn fit(points: &'static [(usize, [f32; 3])]) -> Mesh {
        Mesh::fit(&network(points, 9.0), &RgbImage::new(200, 200), &DETECTION).unwrap().unwrap()
    }

    #[test]
    fn points_come_back_in_the_pixels_of_the_picture() {
        let mesh =
            fit(&[(33, [40.0, 60.0, 0.0]), (133, [56.0, 68.0, 0.0]), (1, [96.0, 96.0, 0.0])]);
        let [eye, _, nose, ..] = mesh.five();
        assert!(nose.distance(Point::new(100.0, 100.0)) < 1e-3);
        // The crop is 150 pixels wide: 192 of its pixels are 150 of the picture's.
        let expected = Point::new(25.0 + 48.0 * 150.0 / 192.0, 25.0 + 64.0 * 150.0 / 192.0);
        assert!(eye.distance(expected) < 1e-3);
    }

    #[test]
    fn the_pose_follows_the_depth() {
        let straight = [
            (234, [30.0, 96.0, 0.0]),
            (454, [162.0, 96.0, 0.0]),
            (10, [96.0, 20.0, 0.0]),
            (152, [96.0, 172.0, 0.0]),
        ];
        let pose = fit(Box::leak(Box::new(straight))).pose(0.0);
        assert!(pose.yaw.abs() < 1e-3 && pose.pitch.abs() < 1e-3);
        let mut turned = straight;
        turned[1].1[2] = 132.0; // the picture's right side is farther away
        turned[3].1[2] = -152.0; // the chin is nearer
        let pose = fit(Box::leak(Box::new(turned))).pose(5.0);
        assert!((pose.yaw - 45.0).abs() < 1e-3, "{pose:?}");
        assert!((pose.pitch - 40.0).abs() < 1e-3, "{pose:?}");
    }

    #[test]
    fn no_mesh_where_the_network_sees_no_face() {
        let image = RgbImage::new(200, 200);
        assert!(Mesh::fit(&network(&[], -3.0), &image, &DETECTION).unwrap().is_none());
        assert!(Mesh::fit(&network(&[], f32::NAN), &image, &DETECTION).is_err());
    }

    #[test]
    fn a_poor_fit_is_tried_upside_down() {
        // Sees a face where what it is shown is bright at the top; the eyes lie on its middle line.
        let upright = fake::network(Role::Landmarks, 192, |input| {
            let mut values = vec![96.0; POINTS * 3];
            for (index, x) in [(33, 40.0), (133, 60.0), (362, 132.0), (263, 152.0)] {
                values[index * 3] = x;
            }
            vec![values, vec![if input[96] > 0.5 { 30.0 } else { 2.0 }]]
        });
        let bright = |low: bool| {
            RgbImage::from_fn(200, 200, |_, y| {
                image::Rgb([if (y >= 100) == low { 255 } else { 0 }; 3])
            })
        };
        let roll = |low| {
            let mesh = Mesh::fit(&upright, &bright(low), &DETECTION).unwrap().unwrap();
            (mesh.roll().to_degrees().abs().round(), mesh.presence())
        };
        assert_eq!(roll(false), (0.0, 30.0));
        assert_eq!(roll(true), (180.0, 30.0));
    }

    #[test]
    fn an_open_mouth_is_as_wide_as_its_widest_gap() {
        let mesh = fit(&[(13, [96.0, 100.0, 0.0]), (14, [96.0, 119.2, 0.0])]);
        assert!((mesh.mouth_gap() - 19.2 * 150.0 / 192.0).abs() < 1e-3);
    }
}
