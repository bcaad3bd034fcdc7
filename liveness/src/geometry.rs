//! Points and affine maps of the picture plane.
//!
//! Coordinates are continuous: the first pixel covers 0..1, its centre is 0.5. x runs to the
//! picture's right, y down; "left" always means the picture's left, not the person's.

/// A place in a picture, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// From the left edge.
    pub x: f32,
    /// From the top edge.
    pub y: f32,
}

impl Point {
    pub(crate) fn new(x: f32, y: f32) -> Self {
        Point { x, y }
    }

    pub(crate) fn between(self, other: Point) -> Point {
        Point::new((self.x + other.x) / 2.0, (self.y + other.y) / 2.0)
    }

    pub(crate) fn distance(self, other: Point) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// The direction of `other` seen from here, in radians, clockwise on the screen from the right.
    pub(crate) fn direction(self, other: Point) -> f32 {
        (other.y - self.y).atan2(other.x - self.x)
    }
}

/// x' = a x + b y + tx, y' = c x + d y + ty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Affine {
    pub(crate) a: f32,
    pub(crate) b: f32,
    pub(crate) c: f32,
    pub(crate) d: f32,
    pub(crate) tx: f32,
    pub(crate) ty: f32,
}

impl Affine {
    /// Maps a square crop of `side` pixels onto the square around `centre` of `width` pixels,
    /// turned by `angle`.
    pub(crate) fn crop(centre: Point, width: f32, angle: f32, side: f32) -> Affine {
        let scale = width / side;
        let (sin, cos) = (angle.sin() * scale, angle.cos() * scale);
        let half = side / 2.0;
        Affine {
            a: cos,
            b: -sin,
            c: sin,
            d: cos,
            tx: centre.x - cos * half + sin * half,
            ty: centre.y - sin * half - cos * half,
        }
    }

    pub(crate) fn apply(&self, p: Point) -> Point {
        Point::new(self.a * p.x + self.b * p.y + self.tx, self.c * p.x + self.d * p.y + self.ty)
    }

    /// The longest step in the target that one pixel takes in the source.
    pub(crate) fn stretch(&self) -> f32 {
        self.a.hypot(self.c).max(self.b.hypot(self.d))
    }

    /// None where the map flattens the plane.
    pub(crate) fn inverse(&self) -> Option<Affine> {
        let determinant = self.a * self.d - self.b * self.c;
        if !determinant.is_normal() {
            return None;
        }
        let (a, b) = (self.d / determinant, -self.b / determinant);
        let (c, d) = (-self.c / determinant, self.a / determinant);
        let (tx, ty) = (-(a * self.tx + b * self.ty), -(c * self.tx + d * self.ty));
        Some(Affine { a, b, c, d, tx, ty })
    }

    /// The rotation, scale and shift that takes `from` closest to `to` in the least-squares sense
    /// (Umeyama 1991, eq. 39-42, which in the plane and without reflection is a division of complex
    /// numbers: Σ conj(p) q / Σ |p|² over centred p and q). None where `from` is one point.
    pub(crate) fn similarity(from: &[Point; 5], to: &[Point; 5]) -> Option<Affine> {
        let (mean_from, mean_to) = (mean(from), mean(to));
        let (mut along, mut across, mut size) = (0.0, 0.0, 0.0);
        for (p, q) in from.iter().zip(to) {
            let p = Point::new(p.x - mean_from.x, p.y - mean_from.y);
            let q = Point::new(q.x - mean_to.x, q.y - mean_to.y);
            along += p.x * q.x + p.y * q.y;
            across += p.x * q.y - p.y * q.x;
            size += p.x * p.x + p.y * p.y;
        }
        if !size.is_normal() {
            return None;
        }
        let (a, c) = (along / size, across / size);
        let tx = mean_to.x - (a * mean_from.x - c * mean_from.y);
        let ty = mean_to.y - (c * mean_from.x + a * mean_from.y);
        Some(Affine { a, b: -c, c, d: a, tx, ty })
    }
}

fn mean(points: &[Point; 5]) -> Point {
    let sum = points.iter().fold(Point::default(), |s, p| Point::new(s.x + p.x, s.y + p.y));
    Point::new(sum.x / 5.0, sum.y / 5.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHAPE: [Point; 5] = [
        Point { x: 38.0, y: 51.0 },
        Point { x: 73.0, y: 51.0 },
        Point { x: 56.0, y: 71.0 },
        Point { x: 41.0, y: 92.0 },
        Point { x: 70.0, y: 92.0 },
    ];

    fn close(p: Point, q: Point) -> bool {
        p.distance(q) < 1e-2
    }

    proptest! {
        #[test]
        fn similarity_recovers_a_turn_a_scale_and_a_shift(
            width in 20.0f32..800.0, angle in -3.0f32..3.0, x in -300.0f32..900.0, y in -300.0f32..900.0
        ) {
            let map = Affine::crop(Point::new(x, y), width, angle, 112.0);
            let found = Affine::similarity(&SHAPE, &SHAPE.map(|p| map.apply(p))).unwrap();
            let inverse = found.inverse().unwrap();
            for p in SHAPE {
                prop_assert!(close(found.apply(p), map.apply(p)));
                prop_assert!(close(inverse.apply(map.apply(p)), p));
            }
        }
    }

    #[test]
    fn a_crop_is_centred_and_turned_clockwise() {
        let map = Affine::crop(Point::new(50.0, 40.0), 20.0, std::f32::consts::FRAC_PI_2, 10.0);
        assert!(close(map.apply(Point::new(5.0, 5.0)), Point::new(50.0, 40.0)));
        assert!(close(map.apply(Point::new(10.0, 5.0)), Point::new(50.0, 50.0)));
    }

    #[test]
    fn one_point_five_times_has_no_similarity() {
        assert_eq!(Affine::similarity(&[Point::new(3.0, 4.0); 5], &SHAPE), None);
    }
}
