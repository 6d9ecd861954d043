#!/bin/sh
# For the tests: runs a Spark master, two workers and a Thrift server as separate processes on this machine until this
# script ends. $1 is a folder for everything they write, $2 the Thrift server's port, $3 the master's.
set -eu
folder=$1
thrift_port=$2
master=spark://localhost:$3
SPARK_HOME=$(python -c 'import pyspark; print(pyspark.__path__[0])')
export SPARK_HOME SPARK_LOCAL_IP=127.0.0.1 SPARK_WORKER_DIR="$folder/work" SPARK_DAEMON_MEMORY=512m
# Everything it starts is in its process group and ends with it.
trap 'trap - TERM INT EXIT; kill -TERM 0' TERM INT EXIT

"$SPARK_HOME/bin/spark-class" org.apache.spark.deploy.master.Master --host localhost --port "$3" --webui-port 0 &
for worker in 1 2; do
    "$SPARK_HOME/bin/spark-class" org.apache.spark.deploy.worker.Worker --cores 1 --memory 1g --webui-port 0 "$master" &
done
"$SPARK_HOME/bin/spark-submit" --class org.apache.spark.sql.hive.thriftserver.HiveThriftServer2 --master "$master" \
    --conf spark.executor.memory=512m \
    --conf spark.executor.extraJavaOptions=-Xss64m \
    --conf "spark.driver.extraJavaOptions=-Dderby.system.home=$folder -Xss64m" \
    --conf "spark.sql.warehouse.dir=$folder/warehouse" \
    --conf spark.sql.shuffle.partitions=2 \
    --conf spark.ui.enabled=false \
    spark-internal --hiveconf "hive.server2.thrift.port=$thrift_port" --hiveconf hive.server2.thrift.bind.host=localhost &
wait
