//! Whether the eyes are open.
//!
//! The lids of the mesh do not follow a closed eye, so a small network looks at each eye alone.

use image::RgbImage;

use crate::crop::Crop;
use crate::geometry::Affine;
use crate::mesh::Mesh;
use crate::model::{Network, RunError};

/// The network is shown a square this many times as wide as the eye from corner to corner.
const AROUND: f32 = 1.4;

/// Log-odds that the eyes are open, the mean of both.
pub(super) fn open(network: &Network, image: &RgbImage, mesh: &Mesh) -> Result<f32, RunError> {
    let side = network.side();
    let mut sum = 0.0;
    for eye in mesh.eyes() {
        let map = Affine::crop(eye.middle, AROUND * eye.width, mesh.roll(), side as f32);
        let [logits] = network.run(Crop::sample(image, &map, side).luma(), [2])?;
        if let [closed, open] = *logits {
            sum += open - closed;
        }
    }
    Ok(sum / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Bounds, Detection};
    use crate::geometry::Point;
    use crate::manifest::Role;
    use crate::mesh::POINTS;
    use crate::model::fake;

    /// A face whose left eye lies about 60, 96 and whose right one lies about 132, 96.
    fn mesh() -> Mesh {
        let network = fake::network(Role::Landmarks, 192, |_| {
            let mut values = vec![96.0; POINTS * 3];
            for (index, x) in [(33, 50.0), (133, 70.0), (362, 122.0), (263, 142.0)] {
                values[index * 3] = x;
            }
            vec![values, vec![30.0]]
        });
        let bounds = Bounds { x: 32.0, y: 32.0, width: 128.0, height: 128.0 };
        let eyes = [Point { x: 60.0, y: 96.0 }, Point { x: 132.0, y: 96.0 }];
        let detection = Detection { score: 1.0, bounds, eyes };
        Mesh::fit(&network, &RgbImage::new(192, 192), &detection).unwrap().unwrap()
    }

    #[test]
    fn both_eyes_count_and_what_is_no_number_is_an_error() {
        // The left half of the picture is bright, so that the network can tell the eyes apart.
        let image =
            RgbImage::from_fn(192, 192, |x, _| image::Rgb([if x < 96 { 255 } else { 0 }; 3]));
        let answering = |left: f32, right: f32| {
            let network = fake::network(Role::Eyes, 24, move |input| {
                assert_eq!(input.len(), 24 * 24);
                vec![vec![1.0, 1.0 + if input[0] > 0.5 { left } else { right }]]
            });
            open(&network, &image, &mesh())
        };
        assert_eq!(answering(8.0, -2.0).unwrap(), 3.0);
        assert_eq!(answering(-8.0, -2.0).unwrap(), -5.0);
        assert!(answering(f32::NAN, -2.0).is_err());
    }
}
