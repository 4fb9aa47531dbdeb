use super::{Answer, Message, Recorded};

/// Answers by path, for tests whose client is a program that knows only URLs: `/echo`, `/bytes/N`, `/chunked/N`, `/sink`,
/// `/status/N`, `/short/N`, `/trailers`, `/websocket`, `/redirect?URL`; anything else gets `hello from METHOD PATH`.
pub fn by_path(request: &Recorded) -> Answer {
    let path = request.uri.path();
    let (name, number) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let number = number.parse::<u64>();
    match (name, number) {
        ("echo", _) => Answer::echo(),
        ("sink", _) => Answer::sink(),
        ("bytes", Ok(bytes)) => Answer::pattern(bytes),
        ("chunked", Ok(bytes)) => Answer::chunked(bytes),
        ("status", Ok(status)) => Answer::empty(u16::try_from(status).unwrap_or(400)),
        ("short", Ok(told)) => Answer::short("only this", told),
        ("trailers", _) => Answer::text("body").trailer("grpc-status", "0"),
        ("redirect", _) => Answer::redirect(request.uri.query().unwrap_or("/")),
        ("websocket", _) => Answer::websocket(|mut socket| async move {
            while let Some(message) = socket.next().await {
                match message {
                    Message::Text(text) => socket.send_text(&text).await,
                    Message::Binary(bytes) => socket.send_binary(&bytes).await,
                }
            }
        }),
        (_, _) => Answer::text(format!("hello from {}", request.line())),
    }
}
