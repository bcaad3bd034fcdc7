//! What a locator saw, as connected places.

use super::geometry::Point;

/// What a locator says of each place: how likely it is part of an MRZ line, as a logit, and the
/// direction of reading there.
pub(super) struct Maps<'a> {
    pub(super) width: usize,
    pub(super) core: &'a [f32],
    pub(super) cosine: &'a [f32],
    pub(super) sine: &'a [f32],
}

/// The least places of a blob.
const LEAST_PLACES: usize = 12;

/// Connected places of MRZ lines.
#[derive(Clone, Debug)]
pub(super) struct Blob {
    pub(super) places: Vec<Spot>,
    /// The sum of the directions of reading.
    pub(super) along: Point,
}

/// A place with how likely it is part of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) at: Point,
    pub(super) chance: f32,
}

impl Blob {
    pub(super) fn weight(&self) -> f32 {
        self.places.iter().map(|seen| seen.chance).sum()
    }
}

/// The blobs of a map, the heaviest first.
pub(super) fn blobs(maps: &Maps<'_>) -> Vec<Blob> {
    let mut open: Vec<bool> = maps.core.iter().map(|logit| *logit > 0.0).collect();
    let mut found: Vec<Blob> = Vec::new();
    for index in 0..open.len() {
        if open.get(index) == Some(&true) {
            let blob = flooded(maps, &mut open, index);
            if blob.places.len() >= LEAST_PLACES {
                found.push(blob);
            }
        }
    }
    found.sort_by(|one, other| other.weight().total_cmp(&one.weight()));
    found
}

/// All that is connected with a place, which is taken out of what is open.
fn flooded(maps: &Maps<'_>, open: &mut [bool], from: usize) -> Blob {
    let mut blob = Blob { places: Vec::new(), along: Point { x: 0.0, y: 0.0 } };
    let mut waiting = vec![from];
    while let Some(index) = waiting.pop() {
        match open.get_mut(index) {
            Some(open) if *open => *open = false,
            _ => continue,
        }
        let (x, y) = (index % maps.width, index / maps.width);
        let value = |map: &[f32]| map.get(index).copied().unwrap_or(0.0);
        let chance = 1.0 / (1.0 + (-value(maps.core)).exp());
        blob.places.push(Spot { at: Point { x: x as f32, y: y as f32 }, chance });
        let along = Point { x: value(maps.cosine), y: value(maps.sine) };
        blob.along = blob.along.plus(along, chance);
        waiting.extend(neighbours(x, y, maps.width));
    }
    blob
}

/// The eight places around one, those beyond the left and right edge left out.
fn neighbours(x: usize, y: usize, width: usize) -> impl Iterator<Item = usize> {
    let rows = y.saturating_sub(1)..=y + 1;
    rows.flat_map(move |row| {
        let columns = x.saturating_sub(1)..=(x + 1).min(width.saturating_sub(1));
        columns.map(move |column| row * width + column)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_touches_is_one_and_specks_are_none() {
        let width = 30;
        let line = |x: usize, y: usize| (2..28).contains(&x) && (y == 3 || y == 9);
        let speck = |x: usize, y: usize| x == 29 && y == 6;
        let core: Vec<f32> =
            (0..width * 12)
                .map(|i| {
                    if line(i % width, i / width) || speck(i % width, i / width) {
                        4.0
                    } else {
                        -4.0
                    }
                })
                .collect();
        let (cosine, sine) = (vec![1.0; core.len()], vec![0.0; core.len()]);
        let found = blobs(&Maps { width, core: &core, cosine: &cosine, sine: &sine });
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].places.len(), 26);
        assert!(found.iter().all(|blob| blob.along.unit().x > 0.99));
    }
}
