"""The application: registers the doors, nothing else."""

from flask import Flask

from ivr.runtime import Runtime
from ivr.web import api, dashboard, dashboard_now, desk, files, guards, health, messages, metrics, voice


def create_app(runtime: Runtime) -> Flask:
    app = Flask("ivr", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    # A redirect loses the caller's Digits: a slash too many is answered as it comes.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.extensions["ivr"] = runtime
    for door in (voice, messages, desk, api, files, dashboard, dashboard_now, metrics, health):
        app.register_blueprint(door.blueprint)
    api.answer_in_problems(app)
    app.after_request(guards.leave_unread)
    return app
