# gunicorn --config examples/deployments/gunicorn.conf.py examples.deployments.service:app
preload_app = (
    True  # the handler is made once, in the master; each worker gets an outbox lane and a thread of its own
)
workers = 2
worker_class = "uvicorn_worker.UvicornWorker"  # for WSGI (Flask, Django), leave this line out
max_requests = 10_000  # a worker that ends after so many requests sends its runs first
max_requests_jitter = 1_000
timeout = 60  # more than your slowest answer of a model: a worker that hangs for longer is killed
graceful_timeout = 30  # for the last requests; then the handler needs up to 5 seconds
control_socket_disable = True  # else gunicorn 25 and newer write a socket into the home directory
