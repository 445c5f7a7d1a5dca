// A camera and a microphone that a test can recognise: four coloured quadrants and a sine tone, one set for each person.
// Installed before the page's own code; the page calls getUserMedia as ever.
(({ colours, tone }) => {
  // For the test's own questions to getStats().
  globalThis.connections = [];
  globalThis.RTCPeerConnection = new Proxy(RTCPeerConnection, {
    construct: (target, values, newTarget) => {
      const connection = Reflect.construct(target, values, newTarget);
      connections.push(connection);
      return connection;
    },
  });

  // Slow, and small: three people at their browsers share two cores with everything else.
  const FRAME_RATE = 10;
  const width = 160;
  const height = 120;
  const SPECK = 8;

  const drawFrame = (context) => {
    colours.forEach((colour, index) => {
      context.fillStyle = colour;
      context.fillRect(
        (index % 2) * (width / 2),
        Math.floor(index / 2) * (height / 2),
        width / 2,
        height / 2,
      );
    });
    // Noise in the middle: no frame is like another, and quadrant centres stay as they are.
    for (let x = 0; x < width; x += SPECK) {
      context.fillStyle = Math.random() < 0.5 ? "black" : "white";
      context.fillRect(x, (height - SPECK) / 2, SPECK, SPECK);
    }
  };

  const camera = () => {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d");
    drawFrame(context);
    setInterval(() => drawFrame(context), 1000 / FRAME_RATE);
    return canvas.captureStream(FRAME_RATE).getVideoTracks()[0];
  };

  const microphone = () => {
    const audio = new AudioContext();
    const oscillator = new OscillatorNode(audio, { frequency: tone });
    const destination = new MediaStreamAudioDestinationNode(audio);
    oscillator.connect(new GainNode(audio, { gain: 0.5 })).connect(destination);
    oscillator.start();
    // Chromium lets an AudioContext run only after the person has done something in the page.
    addEventListener("click", () => audio.resume(), { capture: true });
    return destination.stream.getAudioTracks()[0];
  };

  navigator.mediaDevices.getUserMedia = async ({ audio, video }) =>
    new MediaStream([...(audio ? [microphone()] : []), ...(video ? [camera()] : [])]);
})(PERSON);
