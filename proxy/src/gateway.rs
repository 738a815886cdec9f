//! The pingora edge, thin: a connection's requests, one after the other, into [`crate::exchange`].

use crate::downstream::Downstream;
use crate::exchange;
use crate::gate::Current;
use async_trait::async_trait;
use pingora_core::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream};
use pingora_core::protocols::http::ServerSession;
use pingora_core::server::configuration::ServerConf;
use pingora_core::server::{RunArgs, Server, ShutdownSignal, ShutdownSignalWatch, ShutdownWatch};
use pingora_core::services::listening::Service;
use std::future::Future;
use std::net::TcpListener;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// The pingora application: the gate behind a listener.
struct App {
    gate: Arc<Current>,
    options: HttpServerOptions,
}

#[async_trait]
impl HttpServerApp for App {
    async fn process_new_http(
        self: &Arc<Self>,
        mut session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        let limit = Duration::from_millis(self.gate.load().limits.header_timeout_ms);
        // A head that cannot be read has no wire to be answered in: pingora's own 400 for what is
        // no HTTP, silence for a connection that closes or stalls.
        match tokio::time::timeout(limit, session.read_request()).await {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) | Err(_) => return None,
            Ok(Err(_)) => {
                session.respond_error(400).await.ok();
                return None;
            }
        }
        if *shutdown.borrow() {
            session.set_keepalive(None);
        }
        // Not before the head has come: a connection may have been idle for long.
        let gate = self.gate.load_full();
        let mut down = Downstream::new(session, &gate.limits);
        if exchange::run(&gate, &mut down).await {
            down.finish().await
        } else {
            down.abort().await;
            None
        }
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        Some(&self.options)
    }
}

/// Ends the server when the future does.
struct StopWhen(tokio::sync::Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>);

#[async_trait]
impl ShutdownSignalWatch for StopWhen {
    async fn recv(&self) -> ShutdownSignal {
        if let Some(stop) = self.0.lock().await.take() {
            stop.await;
        }
        ShutdownSignal::GracefulTerminate
    }
}

/// Serves the gate until `stop` resolves, then lets the exchanges in work end (at most 30 s).
/// Blocks the calling thread: pingora makes its own runtimes.
///
/// # Errors
/// When the address cannot be listened on.
pub fn serve(
    gate: Arc<Current>,
    listen: &crate::config::Listen,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), std::io::Error> {
    // pingora ends the process when it cannot bind; a try beforehand can say why.
    drop(TcpListener::bind(&listen.reverse)?);
    let threads = match listen.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    };
    let conf = ServerConf {
        threads,
        upstream_keepalive_pool_size: 512,
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(30),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let mut options = HttpServerOptions::default();
    options.h2c = true;
    let mut service = Service::new("gateway".into(), App { gate, options });
    service.add_tcp(&listen.reverse);
    server.add_service(service);
    server.run(RunArgs {
        shutdown_signal: Box::new(StopWhen(tokio::sync::Mutex::new(Some(Box::pin(stop))))),
    });
    Ok(())
}
