//! An issuer whose certificates hold what a verifier needs and nothing more, and EF.SOD signed by it
//! (ICAO 9303-12 §7; ICAO 9303-10 §4.6.2; RFC 5652 §5): for files that lie about with nobody's
//! signature, or one whose issuer is not known. Its keys are new each time.

use nfc::tlv::{Tag, encode};
use openssl::{
    asn1::Asn1Time,
    bn::BigNum,
    ec::{Asn1Flag, EcGroup, EcKey},
    error::ErrorStack,
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    sha::sha256,
    sign::Signer,
    x509::{
        X509, X509Builder, X509Name, X509NameBuilder, X509NameRef,
        extension::{AuthorityKeyIdentifier, BasicConstraints, KeyUsage, SubjectKeyIdentifier},
    },
};
use time::Date;

/// Object identifiers, whole elements.
const SIGNED_DATA: [u8; 11] = [0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2];
const CONTENT_TYPE: [u8; 11] = [0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 3];
const MESSAGE_DIGEST: [u8; 11] = [0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 4];
const SHA256: [u8; 11] = [0x06, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
const ECDSA_WITH_SHA256: [u8; 10] = [0x06, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2];
/// id-icao-mrtd-security-ldsSecurityObject.
const LDS_SECURITY_OBJECT: [u8; 8] = [0x06, 6, 0x67, 0x81, 0x08, 1, 1, 1];

/// A CSCA and its document signer's key.
pub struct Issuer {
    /// The CSCA's certificate, DER.
    pub csca: Vec<u8>,
    authority: X509,
    authority_key: PKey<Private>,
    signer_key: PKey<Private>,
    country: String,
    period: (Asn1Time, Asn1Time),
}

impl Issuer {
    /// Of the country with these two letters, valid from the year before `at` to the ninth after.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn new(country: &str, at: Date) -> Result<Self, ErrorStack> {
        let day = |years: i32| Asn1Time::from_str(&format!("{:04}0101000000Z", at.year() + years));
        let period = (day(-1)?, day(9)?);
        let (authority_key, signer_key) = (key()?, key()?);
        let name = name(country, "CSCA")?;
        let mut builder = certificate(&name, &name, &authority_key, &period, 1)?;
        builder.append_extension(BasicConstraints::new().critical().ca().pathlen(0).build()?)?;
        builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build()?)?;
        let own = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
        builder.append_extension(own)?;
        builder.sign(&authority_key, MessageDigest::sha256())?;
        let authority = builder.build();
        let (csca, country) = (authority.to_der()?, country.to_owned());
        Ok(Self { csca, authority, authority_key, signer_key, country, period })
    }

    /// EF.SOD over the data groups, its signer's name lengthened by `padding` bytes, 60 at most.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn sign(&self, groups: &[(u8, &[u8])], padding: usize) -> Result<Vec<u8>, ErrorStack> {
        let content = security_object(groups);
        let encapsulated =
            sequence(&[&LDS_SECURITY_OBJECT, &encode(Tag(0xA0), &encode(Tag(0x04), &content))]);
        let certificate = self.document_signer(padding)?;
        let signed = sequence(&[
            &encode(Tag(0x02), &[3]),
            &encode(Tag(0x31), &sequence(&[&SHA256])),
            &encapsulated,
            &encode(Tag(0xA0), &certificate.to_der()?),
            &encode(Tag(0x31), &self.signer_info(&certificate, &content)?),
        ]);
        Ok(encode(Tag(0x77), &sequence(&[&SIGNED_DATA, &encode(Tag(0xA0), &signed)])))
    }

    fn document_signer(&self, padding: usize) -> Result<X509, ErrorStack> {
        let subject = name(&self.country, &"S".repeat(1 + padding))?;
        let issuer = self.authority.subject_name();
        let mut builder = certificate(&subject, issuer, &self.signer_key, &self.period, 2)?;
        builder.append_extension(KeyUsage::new().critical().digital_signature().build()?)?;
        let context = builder.x509v3_context(Some(&self.authority), None);
        let above = AuthorityKeyIdentifier::new().keyid(true).build(&context)?;
        builder.append_extension(above)?;
        builder.sign(&self.authority_key, MessageDigest::sha256())?;
        Ok(builder.build())
    }

    /// `SignerInfo` (RFC 5652 §5.3): the signature is over the attributes as a SET.
    fn signer_info(&self, certificate: &X509, content: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let digest = encode(Tag(0x04), &sha256(content));
        let attributes = [
            sequence(&[&CONTENT_TYPE, &encode(Tag(0x31), &LDS_SECURITY_OBJECT)]),
            sequence(&[&MESSAGE_DIGEST, &encode(Tag(0x31), &digest)]),
        ]
        .concat();
        let mut signer = Signer::new(MessageDigest::sha256(), &self.signer_key)?;
        let signature = signer.sign_oneshot_to_vec(&encode(Tag(0x31), &attributes))?;
        let serial = encode(Tag(0x02), &certificate.serial_number().to_bn()?.to_vec());
        Ok(sequence(&[
            &encode(Tag(0x02), &[1]),
            &sequence(&[&certificate.issuer_name().to_der()?, &serial]),
            &sequence(&[&SHA256]),
            &encode(Tag(0xA0), &attributes),
            &sequence(&[&ECDSA_WITH_SHA256]),
            &encode(Tag(0x04), &signature),
        ]))
    }
}

/// `LDSSecurityObject`, version 0, SHA-256 (ICAO 9303-10 §4.6.2.3).
fn security_object(groups: &[(u8, &[u8])]) -> Vec<u8> {
    let hash = |(number, file): &(u8, &[u8])| {
        sequence(&[&encode(Tag(0x02), &[*number]), &encode(Tag(0x04), &sha256(file))])
    };
    let hashes: Vec<u8> = groups.iter().flat_map(hash).collect();
    let algorithm = sequence(&[&SHA256]);
    sequence(&[&encode(Tag(0x02), &[0]), &algorithm, &encode(Tag(0x30), &hashes)])
}

/// A SEQUENCE of `parts`.
pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    encode(Tag(0x30), &parts.concat())
}

fn key() -> Result<PKey<Private>, ErrorStack> {
    let mut group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    group.set_asn1_flag(Asn1Flag::NAMED_CURVE);
    PKey::from_ec_key(EcKey::generate(&group)?)
}

fn name(country: &str, common: &str) -> Result<X509Name, ErrorStack> {
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_nid(Nid::COUNTRYNAME, country)?;
    name.append_entry_by_nid(Nid::COMMONNAME, common)?;
    Ok(name.build())
}

fn certificate(
    subject: &X509NameRef,
    issuer: &X509NameRef,
    key: &PKey<Private>,
    (from, until): &(Asn1Time, Asn1Time),
    serial: u32,
) -> Result<X509Builder, ErrorStack> {
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    let serial = BigNum::from_u32(serial)?.to_asn1_integer()?;
    builder.set_serial_number(&serial)?;
    builder.set_subject_name(subject)?;
    builder.set_issuer_name(issuer)?;
    builder.set_not_before(from)?;
    builder.set_not_after(until)?;
    builder.set_pubkey(key)?;
    Ok(builder)
}
