//! What an audio code reader says: six Danish digits as sound, from recordings of a speech synthesiser
//! (`assets/digits/README.md`), as a WAV file (RIFF, PCM).

/// Samples of a second, 16 bits each, one channel.
pub(crate) const RATE: u32 = 8_000;
/// Milliseconds of silence before the first digit and between two.
const PAUSE_MS: u32 = 350;

/// The digits, 16 bits little-endian.
const DIGITS: [&[u8]; 10] = [
    include_bytes!("../../assets/digits/0.pcm"),
    include_bytes!("../../assets/digits/1.pcm"),
    include_bytes!("../../assets/digits/2.pcm"),
    include_bytes!("../../assets/digits/3.pcm"),
    include_bytes!("../../assets/digits/4.pcm"),
    include_bytes!("../../assets/digits/5.pcm"),
    include_bytes!("../../assets/digits/6.pcm"),
    include_bytes!("../../assets/digits/7.pcm"),
    include_bytes!("../../assets/digits/8.pcm"),
    include_bytes!("../../assets/digits/9.pcm"),
];

/// The digits of `code` as they are spoken: a WAV file.
pub(super) fn wav(code: &str) -> Vec<u8> {
    let pause = vec![0; (RATE * PAUSE_MS / 1000 * 2) as usize];
    let digits = code.chars().filter_map(|digit| DIGITS.get(digit.to_digit(10)? as usize));
    let mut sound = pause.clone();
    for digit in digits {
        sound.extend_from_slice(digit);
        sound.extend_from_slice(&pause);
    }
    [header(u32::try_from(sound.len()).unwrap_or(u32::MAX)).as_slice(), &sound].concat()
}

/// The header before `length` bytes of samples: `RIFF`, `fmt ` (PCM), `data`.
fn header(length: u32) -> Vec<u8> {
    let mut header = Vec::with_capacity(44);
    let mut put = |bytes: &[u8]| header.extend_from_slice(bytes);
    put(b"RIFF");
    put(&length.saturating_add(36).to_le_bytes());
    put(b"WAVEfmt ");
    put(&16_u32.to_le_bytes());
    // PCM, one channel.
    put(&1_u16.to_le_bytes());
    put(&1_u16.to_le_bytes());
    put(&RATE.to_le_bytes());
    put(&(RATE * 2).to_le_bytes());
    put(&2_u16.to_le_bytes());
    put(&16_u16.to_le_bytes());
    put(b"data");
    put(&length.to_le_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The samples of a WAV file, by its own header.
    fn samples(wav: &[u8]) -> Vec<i16> {
        let number = |at: usize| u32::from_le_bytes(wav[at..at + 4].try_into().unwrap());
        assert_eq!((&wav[..4], &wav[8..16]), (b"RIFF".as_slice(), b"WAVEfmt ".as_slice()));
        assert_eq!(number(4) as usize, wav.len() - 8);
        assert_eq!((number(20), number(24)), (1 | 1 << 16, RATE), "PCM, one channel");
        assert_eq!((&wav[36..40], number(40) as usize), (b"data".as_slice(), wav.len() - 44));
        wav[44..].chunks(2).map(|two| i16::from_le_bytes(two.try_into().unwrap())).collect()
    }

    /// Where it is not silent for longer than a tenth of a second: the words, by their loudness.
    fn words(samples: &[i16]) -> Vec<Vec<i16>> {
        let frame = RATE as usize / 100;
        let loud: Vec<bool> = samples
            .chunks(frame)
            .map(|part| part.iter().any(|sample| sample.unsigned_abs() > 500))
            .collect();
        let (mut words, mut word, mut quiet) = (Vec::new(), Vec::new(), 0);
        for (part, loud) in samples.chunks(frame).zip(loud) {
            quiet = if loud { 0 } else { quiet + 1 };
            if loud || (quiet <= 10 && !word.is_empty()) {
                word.extend_from_slice(part);
            } else if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        }
        words
    }

    fn power(word: &[i16]) -> f64 {
        word.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / word.len() as f64
    }

    /// How alike two words are at the best of the shifts within a frame: 1 for the same.
    fn likeness(one: &[i16], other: &[i16]) -> f64 {
        let dot = |one: &[i16], other: &[i16]| {
            let pairs = one.iter().zip(other);
            pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
        };
        let shifts = 0..RATE as usize / 100;
        let both = shifts.flat_map(|by| [dot(&one[by..], other), dot(one, &other[by..])]);
        let best = both.fold(0.0, f64::max);
        let norm = |word: &[i16]| (power(word) * word.len() as f64).sqrt();
        best / (norm(one) * norm(other))
    }

    #[test]
    fn a_code_is_six_spoken_digits_and_each_is_the_one_that_it_is() {
        let alphabet = words(&samples(&wav("0123456789")));
        assert_eq!(alphabet.len(), 10);
        for code in ["081804", "999999", "723465"] {
            let spoken = words(&samples(&wav(code)));
            assert_eq!(spoken.len(), 6, "{code}");
            for (word, digit) in spoken.iter().zip(code.chars()) {
                assert!(power(word) > 1e6, "{code}: {digit} is a whisper");
                let likes: Vec<f64> = alphabet.iter().map(|known| likeness(word, known)).collect();
                let best = (0..10).max_by(|a, b| likes[*a].total_cmp(&likes[*b])).unwrap();
                assert_eq!(best, digit.to_digit(10).unwrap() as usize, "{code}: {likes:?}");
                let others = likes.iter().enumerate().filter(|(other, _)| *other != best);
                assert!(others.map(|(_, like)| *like).fold(0.0, f64::max) < 0.8, "{likes:?}");
            }
        }
        assert_ne!(wav("081804"), wav("081805"));
        assert!(words(&samples(&wav(""))).is_empty(), "silence has no word");
    }
}
