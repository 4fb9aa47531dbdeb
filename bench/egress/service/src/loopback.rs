use async_trait::async_trait;
use bottle::{Arrival, Destination, Outlet, OutletError};
use tokio::net::TcpListener;

/// What connects to a port, as if it came out of a bottle to the explicit proxy.
pub struct Loopback(pub TcpListener);

#[async_trait]
impl Outlet for Loopback {
    async fn accept(&mut self) -> Result<Arrival, OutletError> {
        let (stream, _) = self.0.accept().await?;
        // As the outlets of real bottles have it.
        stream.set_nodelay(true)?;
        Ok(Arrival::Stream { destination: Destination::Proxy, stream: Box::new(stream) })
    }
}
