use super::*;

const JPEG: &[u8] = &[0xFF, 0xD8, 0xFF, 0xE0, 9];
const JP2: &[u8] = &[0, 0, 0, 0x0C, b'j', b'P', 9];

/// The parts of a file with one record; tests change one.
struct Parts {
    count: u8,
    header: Vec<u8>,
    points: u16,
    block_length: Option<u32>,
    information: [u8; 14],
    coding: [u8; 12],
    image: Vec<u8>,
    after: Vec<u8>,
}

impl Parts {
    fn valid() -> Self {
        let mut information = [0; 14];
        information[0] = 2;
        Self {
            count: 1,
            header: hex::decode("810102870201018802 0008".replace(' ', "")).unwrap(),
            points: 0,
            block_length: None,
            information,
            coding: [1, 0, 1, 44, 1, 144, 1, 0, 0, 0, 0, 0],
            image: JPEG.to_vec(),
            after: Vec::new(),
        }
    }

    fn record(&self) -> Vec<u8> {
        let whole = 32 + 8 * u32::from(self.points) + self.image.len() as u32;
        let mut record = b"FAC\x00010\x00".to_vec();
        record.extend((14 + whole + self.after.len() as u32).to_be_bytes());
        record.extend(1_u16.to_be_bytes());
        record.extend(self.block_length.unwrap_or(whole).to_be_bytes());
        record.extend(self.points.to_be_bytes());
        record.extend(self.information);
        record.extend(vec![1; 8 * usize::from(self.points)]);
        record.extend(self.coding);
        record.extend(&self.image);
        record.extend(&self.after);
        record
    }

    fn file(&self) -> Vec<u8> {
        wrap(self.count, &self.header, Tag(0x5F2E), &self.record())
    }
}

fn wrap(count: u8, header: &[u8], tag: Tag, record: &[u8]) -> Vec<u8> {
    let mut template = tlv::encode(Tag(0xA1), header);
    tlv::push(&mut template, tag, record);
    let mut group = vec![0x02, 0x01, count];
    tlv::push(&mut group, Tag(0x7F60), &template);
    tlv::encode(Tag(0x75), &tlv::encode(Tag(0x7F61), &group))
}

fn changed(change: impl FnOnce(&mut Parts)) -> Result<Faces, LdsError> {
    let mut parts = Parts::valid();
    change(&mut parts);
    parse(&parts.file())
}

#[test]
fn pictures_are_cut_out_by_their_own_signature() {
    for (image, encoding) in [
        (JPEG, Encoding::Jpeg),
        (&[0xFF, 0x4F, 0xFF, 0x51, 9], Encoding::Jpeg2000),
        (JP2, Encoding::Jpeg2000),
    ] {
        for (points, block_length) in [(0, None), (3, None), (0, Some(0))] {
            let parts = Parts { image: image.to_vec(), points, block_length, ..Parts::valid() };
            let found = portraits(&parts.file()).unwrap();
            assert_eq!(found, [Portrait { bytes: image.to_vec(), encoding }]);
        }
    }
}

#[test]
fn lengths_that_lie_are_refused() {
    for length in [7, 31, u32::MAX] {
        assert!(changed(|parts| parts.block_length = Some(length)).is_err(), "{length}");
    }
    assert_eq!(changed(|parts| parts.image = b"GIF".to_vec()), Err(LdsError::Encoding));
    // Feature points that the length leaves out would cut the picture short.
    let cut = changed(|parts| {
        parts.points = 1;
        parts.image = [JPEG, &[7; 20]].concat();
        parts.block_length = Some(32 + 25);
    });
    assert_eq!(cut, Err(LdsError::Content { tag: Tag(0x5F2E) }));
}

#[test]
fn odd_descriptions_are_remarks() {
    let remarks = |change: fn(&mut Parts)| changed(change).unwrap().remarks;
    assert_eq!(remarks(|_| {}), []);
    assert_eq!(remarks(|parts| parts.information[0] = 9), [Remark::Sex]);
    assert_eq!(remarks(|parts| parts.information[1] = 99), [Remark::EyeColour]);
    assert_eq!(remarks(|parts| parts.information[2] = 99), [Remark::HairColour]);
    assert_eq!(remarks(|parts| parts.information[9] = 181), [Remark::PoseAngle]);
    assert_eq!(remarks(|parts| parts.information[13] = 182), [Remark::PoseUncertainty]);
    assert_eq!(remarks(|parts| parts.coding[0] = 9), [Remark::ImageType]);
    assert_eq!(remarks(|parts| parts.coding[1] = 1), [Remark::ImageCoding]);
    assert_eq!(remarks(|parts| parts.coding[2..4].fill(0)), [Remark::ImageSize]);
    assert_eq!(remarks(|parts| parts.block_length = Some(0)), [Remark::LengthZero]);
    assert_eq!(remarks(|parts| parts.after = vec![0; 3]), [Remark::Padding]);
    assert_eq!(remarks(|parts| parts.header[2] = 1), [Remark::BiometricType]);
}

#[test]
fn the_structure_is_strict() {
    let header = Err(OTHER_HEADER);
    assert_eq!(changed(|parts| parts.count = 2), Err(LdsError::Content { tag: GROUP }));
    assert_eq!(changed(|parts| parts.header[2] = 8), header, "a fingerprint");
    assert_eq!(changed(|parts| parts.header[5] = 2), header, "another format owner");
    assert_eq!(changed(|parts| parts.header[10] = 9), header, "another format");
    assert_eq!(changed(|parts| drop(parts.header.drain(3..7))), header, "no owner");
    assert_eq!(changed(|parts| parts.header.truncate(7)), header, "no format");
    let mut record = Parts::valid().record();
    record[5] = b'2';
    let other = wrap(1, &Parts::valid().header, Tag(0x5F2E), &record);
    assert_eq!(parse(&other), Err(LdsError::Encoding));
    assert!(parse(&wrap(1, &Parts::valid().header, Tag(0x5F2F), &record)).is_err());
}

/// A record of ISO/IEC 39794-5 with `code` as its image format.
fn iso39794(image: &[u8], code: u8, generation: u8) -> Vec<u8> {
    let format = tlv::encode(Tag(0xA0), &[0x80, 1, code]);
    let size = tlv::encode(Tag(0xA7), &[0x80, 2, 1, 44, 0x81, 2, 1, 144]);
    let mut two_d = tlv::encode(Tag(0x80), image);
    tlv::push(&mut two_d, Tag(0xA1), &[format, size].concat());
    let image = tlv::encode(Tag(0xA0), &tlv::encode(Tag(0xA0), &two_d));
    let mut block = vec![0x80, 1, 0];
    tlv::push(&mut block, Tag(0xA1), &image);
    let mut data = tlv::encode(Tag(0xA0), &[0x80, 1, generation, 0x81, 2, 7, 0xE3]);
    tlv::push(&mut data, Tag(0xA1), &tlv::encode(Tag(0x30), &block));
    let record = tlv::encode(Tag(0xA1), &tlv::encode(Tag(0x65), &data));
    wrap(1, &hex::decode("8101028702010188 02002A".replace(' ', "")).unwrap(), Tag(0x7F2E), &record)
}

#[test]
fn iso_39794_pictures_are_cut_out() {
    for (image, code, encoding) in [(JPEG, 2, Encoding::Jpeg), (JP2, 3, Encoding::Jpeg2000)] {
        let faces = parse(&iso39794(image, code, 3)).unwrap();
        assert_eq!(faces.standard, Standard::Iso39794);
        assert_eq!(faces.portraits, [Portrait { bytes: image.to_vec(), encoding }]);
        assert_eq!(faces.remarks, []);
    }
    assert_eq!(parse(&iso39794(JPEG, 4, 3)).unwrap().remarks, [Remark::ImageCoding]);
    assert_eq!(parse(&iso39794(JPEG, 2, 4)), Err(LdsError::Encoding));
    assert_eq!(parse(&iso39794(b"GIF", 2, 3)), Err(LdsError::Encoding));
}

#[test]
fn several_pictures_are_read_up_to_the_budget() {
    let files = |count: u8| {
        let parts = Parts::valid();
        let mut template = tlv::encode(Tag(0xA1), &parts.header);
        tlv::push(&mut template, Tag(0x5F2E), &parts.record());
        let template = tlv::encode(Tag(0x7F60), &template);
        let group = [vec![0x02, 0x01, count], template.repeat(usize::from(count))].concat();
        parse(&tlv::encode(Tag(0x75), &tlv::encode(Tag(0x7F61), &group)))
    };
    assert_eq!(files(3).unwrap().portraits.len(), 3);
    assert_eq!(files(9), Err(LdsError::Budget { most: MOST }));
    assert!(files(0).is_err());
}
