//! Databases on a Citus cluster whose coordinator is named by TEST_DATABASE_URL. Citus cannot copy a template, so each
//! database is created on every node and migrated, which takes seconds: only selected tests run there.

use heartlist::db::{self, distribution};
use heartlist::ids::Secret;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use url::Url;

/// The nodes of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    /// Address of each node, the coordinator's first.
    nodes: Vec<Url>,
}

impl Cluster {
    /// Returns the cluster behind `url`; `None` on plain Postgres.
    pub(crate) async fn find(url: &Url) -> Option<Self> {
        let mut connection = connect(url).await;
        let citus = "select exists (select from pg_extension where extname = 'citus')";
        if !sqlx::query_scalar::<_, bool>(citus).fetch_one(&mut connection).await.unwrap() {
            return None;
        }
        let nodes = "select nodename, nodeport from pg_dist_node order by groupid";
        let nodes: Vec<(String, i32)> = sqlx::query_as(nodes).fetch_all(&mut connection).await.unwrap();
        let address = |(host, port): (String, i32)| {
            let mut url = url.clone();
            url.set_host(Some(&host)).unwrap();
            url.set_port(Some(port.try_into().unwrap())).unwrap();
            url
        };
        Some(Self { nodes: nodes.into_iter().map(address).collect() })
    }

    /// Creates a database with distributed tables.
    pub(crate) async fn create(&self, name: &str) -> Url {
        self.drop_database(name).await;
        for node in &self.nodes {
            run(node, &format!("create database {name}")).await;
            run(&with_database(node, name), "create extension citus").await;
        }
        let coordinator = with_database(&self.nodes[0], name);
        let host_and_port = |url: &Url| format!("'{}', {}", url.host_str().unwrap(), url.port().unwrap());
        run(&coordinator, &format!("select citus_set_coordinator_host({})", host_and_port(&self.nodes[0]))).await;
        for worker in &self.nodes[1..] {
            run(&coordinator, &format!("select citus_add_node({})", host_and_port(worker))).await;
        }
        run(&coordinator, &format!("alter database {name} set citus.shard_count = 4")).await;
        let pool = db::pool(&Secret::new(coordinator.as_str()), 2).unwrap();
        db::migrate(&pool).await.expect("the migrations run");
        distribution::distribute(&pool).await.expect("the tables can be distributed");
        coordinator
    }

    /// Drops a database from all nodes.
    pub(crate) async fn drop_database(&self, name: &str) {
        for node in &self.nodes {
            run(node, &format!("drop database if exists {name} with (force)")).await;
        }
    }
}

fn with_database(node: &Url, database: &str) -> Url {
    let mut url = node.clone();
    url.set_path(database);
    url
}

async fn connect(url: &Url) -> PgConnection {
    PgConnection::connect(url.as_str()).await.expect("a connection to a node of the cluster")
}

async fn run(url: &Url, statement: &str) {
    let mut connection = connect(url).await;
    let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
    let _ = connection.close().await;
}
