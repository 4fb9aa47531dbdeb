//! Header compression: RFC 9113 §4.3, RFC 7541.

use testkit::http2::{END_HEADERS, END_STREAM, Frame, Kind, indexed, prefixed, text};

use super::*;

fn block(what: &'static str, block: Vec<u8>, must: Must) -> Case {
    case(what, [Frame::request(1, [get(), block].concat())], must)
}

#[tokio::test]
async fn http2_header_blocks_that_cannot_be_read() {
    let named = |length: u8, name: &[u8]| [&[0, length | 0x80][..], name, &text("x")].concat();
    let seen = check(vec![
        block("2.3.3: a number behind both tables", indexed(70), EndConnection(COMPRESSION_ERROR)),
        block("2.3.3: a name behind both tables", [prefixed(0x40, 6, 70), text("x")].concat(), EndConnection(COMPRESSION_ERROR)),
        block("6.1: number 0", indexed(0), EndConnection(COMPRESSION_ERROR)),
        block("5.1: a number without end", vec![0xff; 30], EndConnection(COMPRESSION_ERROR)),
        block("5.2: a text longer than the block", vec![0, 0x7e, b'x'], EndConnection(COMPRESSION_ERROR)),
        block("5.2: padding of more than 7 bits", named(2, &[0x1f, 0xff]), EndConnection(COMPRESSION_ERROR)),
        block("5.2: padding with zeros", named(1, &[0x18]), EndConnection(COMPRESSION_ERROR)),
        block("5.2: the code that ends a text", named(4, &[0xff, 0xff, 0xff, 0xff]), EndConnection(COMPRESSION_ERROR)),
        block("4.2: a table's size behind a field", prefixed(0x20, 5, 0), EndConnection(COMPRESSION_ERROR)),
        case(
            "6.3: a table larger than allowed",
            [Frame::request(1, [prefixed(0x20, 5, 4097), get()].concat())],
            EndConnection(COMPRESSION_ERROR),
        ),
        case("6.3: a table without room", [Frame::request(1, [prefixed(0x20, 5, 0), get()].concat())], Answer(200)),
        case(
            "RFC 9113 4.3: a block that breaks off",
            [Frame::new(Kind::Headers, 1, vec![0x40]).with(END_HEADERS | END_STREAM)],
            EndConnection(COMPRESSION_ERROR),
        ),
    ])
    .await;
    assert_eq!(seen, 1);
}
