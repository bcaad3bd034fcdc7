//! 468 points of a face: MediaPipe's Face Mesh (Kartynnik et al. 2019, arXiv:1907.06724).
//!
//! The numbers of the points are those of MediaPipe's canonical face model.

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

const LEFT_EYE: [usize; 2] = [33, 133];
const RIGHT_EYE: [usize; 2] = [362, 263];
const NOSE_TIP: usize = 1;
const MOUTH: [usize; 2] = [61, 291];
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
}

impl Mesh {
    /// Fits the mesh to a detected face. None where the network sees no face there.
    pub(crate) fn fit(
        network: &Network,
        image: &RgbImage,
        face: &Detection,
    ) -> Result<Option<Mesh>, RunError> {
        let [left, right] = face.eyes;
        let width = MARGIN * face.bounds.width.max(face.bounds.height);
        Mesh::fit_square(network, image, face.bounds.centre(), width, left.direction(right))
    }

    fn fit_square(
        network: &Network,
        image: &RgbImage,
        centre: Point,
        width: f32,
        angle: f32,
    ) -> Result<Option<Mesh>, RunError> {
        let side = network.side();
        let map = Affine::crop(centre, width, angle, side as f32);
        let input = Crop::sample(image, &map, side).planes(Channel::RGB, |v| v / 255.0);
        let [values, presence] = network.run(input, [POINTS * 3, 1])?;
        if presence.iter().any(|&logit| sigmoid(logit) < MIN_PRESENCE) {
            return Ok(None);
        }
        let depth = width / side as f32;
        let vertices = values.chunks(3).map(|xyz| match *xyz {
            [x, y, z] => Vertex { place: map.apply(Point::new(x, y)), z: z * depth },
            _ => Vertex::default(),
        });
        Ok(Some(Mesh { vertices: vertices.collect() }))
    }

    pub(crate) fn points(&self) -> impl Iterator<Item = Point> + Clone {
        self.vertices.iter().map(|v| v.place)
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

    /// From the mesh's own depth. `neutral_pitch` is what the line from forehead to chin of a
    /// person looking straight ahead is tilted by.
    pub(crate) fn pose(&self, neutral_pitch: f32) -> Pose {
        let [left, right] = SIDES.map(|i| self.vertex(i));
        let (forehead, chin) = (self.vertex(FOREHEAD), self.vertex(CHIN));
        let tilt = (forehead.z - chin.z).atan2(forehead.place.distance(chin.place));
        Pose {
            yaw: (right.z - left.z).atan2(left.place.distance(right.place)).to_degrees(),
            pitch: tilt.to_degrees() - neutral_pitch,
            roll: self.eye(LEFT_EYE).direction(self.eye(RIGHT_EYE)).to_degrees(),
        }
    }

    fn eye(&self, corners: [usize; 2]) -> Point {
        let [outer, inner] = corners.map(|i| self.at(i));
        outer.between(inner)
    }

    fn at(&self, index: usize) -> Point {
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
}
