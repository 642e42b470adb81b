"""A real RTSP server for tests: GStreamer's, each mount fed by an ffmpeg that plays one clip over and over.

    rtsp-server.py --mounts FILE [--port N] [--user NAME --password TEXT] [--owner PID]

FILE names one mount a line: `/path CODEC CLIP`, CODEC being h264, h265 or aac. A clip is sent as it is, never encoded
again. SIGHUP reads FILE again: whoever looks at a mount that is new or changed is cut off, as by a camera whose
settings were changed. Prints `ready PORT` once it serves. Ends with its owner.
"""
import argparse
import os
import signal
import subprocess
import sys

import gi

gi.require_version('Gst', '1.0')
gi.require_version('GstRtspServer', '1.0')
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PAYLOADERS = {
    'h264': 'h264parse ! video/x-h264,alignment=au ! rtph264pay',
    'h265': 'h265parse ! video/x-h265,alignment=au ! rtph265pay',
    'aac': 'aacparse ! rtpmp4apay',
}
ROLE = 'viewer'


def refuse_seeking(_pad, info):
    is_seeking = info.get_query().type == Gst.QueryType.SEEKING
    return Gst.PadProbeReturn.DROP if is_seeking else Gst.PadProbeReturn.OK


class LoopedClip(GstRtspServer.RTSPMediaFactory):
    """Makes the media of a mount: one feed, shared by all who look at it."""

    def __init__(self, codec, clip):
        super().__init__()
        self.codec, self.clip = codec, clip
        self.set_shared(True)
        self.connect('media-configure', lambda _, media: media.connect('unprepared', lambda _: self.end_feed(media)))

    def do_create_element(self, _url):
        track = '0:a:0' if self.codec == 'aac' else '0:v:0'
        read = ['-re', '-stream_loop', '-1', '-i', self.clip, '-map', track]
        self.feed = subprocess.Popen(
            [os.environ.get('FFMPEG_PATH') or 'ffmpeg', '-v', 'error', '-nostdin', *read, '-c', 'copy', '-f', 'mpegts', '-muxdelay', '0', 'pipe:1'],
            stdout=subprocess.PIPE,
        )
        source = f'fdsrc fd={self.feed.stdout.fileno()} ! tsdemux latency=0'
        media = Gst.parse_launch(f'( {source} ! queue name=feed ! {PAYLOADERS[self.codec]} name=pay0 pt=96 )')
        # Asked whether it can seek, the demuxer says yes, and fails when each new client makes the server try.
        pad = media.get_by_name('feed').get_static_pad('src')
        pad.add_probe(Gst.PadProbeType.QUERY_UPSTREAM, refuse_seeking)
        return media

    def end_feed(self, _media):
        self.feed.kill()
        self.feed.wait()


def read_mounts(path):
    with open(path) as lines:
        return {line.split()[0]: tuple(line.split(maxsplit=2)[1:]) for line in lines.read().splitlines() if line}


class Mounts:
    """The mounts of the file, kept up to date."""

    def __init__(self, server, path, needs_login):
        self.server, self.path, self.needs_login, self.known = server, path, needs_login, {}

    def update(self):
        for path, (codec, clip) in read_mounts(self.path).items():
            if self.known.get(path) != (codec, clip):
                self.add(path, LoopedClip(codec, clip))
                self.known[path] = (codec, clip)
        self.server.client_filter(lambda *_: GstRtspServer.RTSPFilterResult.REMOVE)
        return True

    def add(self, path, factory):
        if self.needs_login:
            permissions = GstRtspServer.RTSPPermissions()
            permissions.add_permission_for_role(ROLE, 'media.factory.access', True)
            permissions.add_permission_for_role(ROLE, 'media.factory.construct', True)
            factory.set_permissions(permissions)
        self.server.get_mount_points().add_factory(path, factory)


def make_auth(user, password):
    if user is None:
        return None
    token = GstRtspServer.RTSPToken()
    token.set_string('media.factory.role', ROLE)
    auth = GstRtspServer.RTSPAuth()
    auth.add_digest(user, password, token)
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    return auth


def is_alive(pid):
    try:
        os.kill(pid, 0)
        return True
    except ProcessLookupError:
        return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--mounts', required=True)
    parser.add_argument('--port', default='0')
    parser.add_argument('--user')
    parser.add_argument('--password')
    parser.add_argument('--owner', type=int)
    options = parser.parse_args()

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address('127.0.0.1')
    server.set_service(options.port)
    server.set_auth(make_auth(options.user, options.password))
    mounts = Mounts(server, options.mounts, options.user is not None)
    mounts.update()
    if server.attach(None) == 0:
        sys.exit(f'port {options.port} is not free')
    loop = GLib.MainLoop()
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGHUP, mounts.update)
    if options.owner is not None:
        GLib.timeout_add(500, lambda: is_alive(options.owner) or loop.quit())
    print(f'ready {server.get_bound_port()}', flush=True)
    loop.run()


main()
