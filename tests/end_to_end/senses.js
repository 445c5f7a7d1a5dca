// What a person at this page would see and hear, measured at the page's own video and audio elements.
({
  // The colours at the four quadrant centres of a video element, or null while it shows nothing.
  look: (video) => {
    if (!video.videoWidth) return null;
    const canvas = Object.assign(document.createElement("canvas"), {
      width: video.videoWidth,
      height: video.videoHeight,
    });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(video, 0, 0);
    return [0.25, 0.75].flatMap((y) =>
      [0.25, 0.75].map((x) => [
        ...context.getImageData(canvas.width * x, canvas.height * y, 1, 1).data.slice(0, 3),
      ]),
    );
  },

  // The loudest frequency of an element's stream, in Hz, and its level in dB.
  listen: async (element) => {
    const audio = new AudioContext();
    const analyser = new AnalyserNode(audio, { fftSize: 8192 });
    audio.createMediaStreamSource(element.srcObject).connect(analyser);
    await new Promise((resolve) => setTimeout(resolve, 600));
    const levels = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(levels);
    const peak = levels.indexOf(Math.max(...levels));
    const result = { frequency: (peak * audio.sampleRate) / analyser.fftSize, level: levels[peak] };
    await audio.close();
    return result;
  },
});
