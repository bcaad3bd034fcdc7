//! Response unwrapping: what the chip sealed is what comes out, and nothing else ever does.

use nfc::{
    apdu::{Command, Response, StatusWord},
    crypto::{Cipher, Secret},
    sm::SecureMessaging,
};

use super::{Script, session::Session};

const SHARED: [u8; 32] = [0x5C; 32];
/// The most commands in one run.
const MOST: usize = 16;

/// Commands are wrapped and opened, and their answers, sealed or not, unwrapped.
pub fn unwrap(data: &[u8]) {
    let script = Script::new(data);
    let cipher = match script.byte() % 4 {
        0 => Cipher::Aes128,
        1 => Cipher::Aes192,
        2 => Cipher::Aes256,
        _ => Cipher::TripleDes,
    };
    let start = [0xFF; 8];
    let secret = Secret::new(SHARED.to_vec());
    let mut reader = SecureMessaging::new(cipher, &secret, Some(start)).expect("keys are derived");
    let mut chip = Session::new(cipher, &SHARED, u64::from_be_bytes(start));
    for _ in 0..MOST {
        let command = command(&script);
        let wrapped = reader.wrap_all(std::slice::from_ref(&command)).expect("it is wrapped");
        let sent = Command::decode(&wrapped.first().expect("one for one").encode());
        let opened = chip.open(&sent.expect("it is a command")).expect("it can be opened");
        assert_eq!(opened, command);
        let (reply, promised) = answer(&script, &mut chip, command.ins);
        match (reader.unwrap(&reply), promised) {
            (Ok((next, plain)), Promise::Holds(sealed)) => {
                assert_eq!(plain, sealed);
                reader = next;
            }
            (Ok((next, plain)), Promise::Unsure) => {
                assert_eq!(plain.status, reply.status);
                assert!(plain.data.len() < reply.data.len());
                reader = next;
            }
            (Ok(_), Promise::Forged) => panic!("taken without a right checksum"),
            (Err(_), Promise::Holds(_)) => panic!("a right answer was refused"),
            (Err(_), _) => return,
        }
        if script.is_over() {
            return;
        }
    }
}

fn command(script: &Script<'_>) -> Command {
    let [flags, p1, p2] = [script.byte(), script.byte(), script.byte()];
    let mut command = Command::new(0, 0xB0 | flags & 1, p1, p2).with_data(script.counted());
    if flags & 2 != 0 {
        command = command.expecting(usize::from(script.pair()) + 1);
    }
    if flags & 4 != 0 {
        command.data = command.data.repeat(1 + usize::from(script.byte()));
    }
    command
}

/// What must come of an answer.
enum Promise {
    Holds(Response),
    Unsure,
    Forged,
}

fn answer(script: &Script<'_>, chip: &mut Session, ins: u8) -> (Response, Promise) {
    let kind = script.byte();
    let status = match script.byte() {
        0 => StatusWord::OK,
        1 => StatusWord::END_OF_FILE,
        _ => StatusWord(script.pair()),
    };
    let outside = Response::status(status);
    match kind % 4 {
        0 => {
            let data = script.counted();
            let plain = Response::new(data.repeat(1 + usize::from(script.byte() / 4)), status);
            (chip.seal(ins, &plain), Promise::Holds(plain))
        }
        1 => (chip.seal_objects(script.counted(), &outside), Promise::Unsure),
        2 => {
            let sealed = chip.encrypt_raw(script.counted());
            let tag = if ins & 1 == 0 { &[0x87][..] } else { &[0x85] };
            let length = sealed.len() + 1;
            let head =
                [tag, &[0x82], &[(length >> 8) as u8, length as u8], script.take(1)].concat();
            let objects = [&head, sealed.as_slice(), &[0x99, 2], &status.0.to_be_bytes()].concat();
            (chip.seal_objects(&objects, &outside), Promise::Unsure)
        }
        _ => {
            let mut reply = chip.seal(ins, &Response::new(script.counted(), status));
            let whole = reply.data.clone();
            let at = usize::from(script.pair()) % reply.data.len().max(1);
            match script.byte() {
                0 => reply.data = script.counted().to_vec(),
                1 => reply.data.truncate(at),
                2 => reply.data.extend(script.counted()),
                mask => reply.data.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= mask),
            }
            let promise = if reply.data == whole { Promise::Unsure } else { Promise::Forged };
            (reply, promise)
        }
    }
}
