/*
 * Licensed to the Apache Software Foundation (ASF) under one
 * or more contributor license agreements.  See the NOTICE file
 * distributed with this work for additional information
 * regarding copyright ownership.  The ASF licenses this file
 * to you under the Apache License, Version 2.0 (the
 * "License"); you may not use this file except in compliance
 * with the License.  You may obtain a copy of the License at
 *
 *     http://www.apache.org/licenses/LICENSE-2.0
 *
 * Unless required by applicable law or agreed to in writing, software
 * distributed under the License is distributed on an "AS IS" BASIS,
 * WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
 * See the License for the specific language governing permissions and
 * limitations under the License.
 *
 * Changed from the file of the same name in Apache Beam 2.49.0: a residual is kept in one state per key instead of in a
 * new one per checkpoint; delays and watermarks count in milliseconds instead of in whole seconds.
 */
package org.apache.beam.runners.fnexecution.control;

import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import org.apache.beam.model.fnexecution.v1.BeamFnApi.DelayedBundleApplication;
import org.apache.beam.model.fnexecution.v1.BeamFnApi.ProcessBundleResponse;
import org.apache.beam.runners.core.StateInternals;
import org.apache.beam.runners.core.StateInternalsFactory;
import org.apache.beam.runners.core.StateNamespace;
import org.apache.beam.runners.core.StateNamespaces;
import org.apache.beam.runners.core.StateTags;
import org.apache.beam.runners.core.TimerInternals;
import org.apache.beam.runners.core.TimerInternalsFactory;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.state.TimeDomain;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.util.CoderUtils;
import org.apache.beam.sdk.util.WindowedValue;
import org.apache.beam.vendor.grpc.v1p54p0.com.google.protobuf.Duration;
import org.apache.beam.vendor.grpc.v1p54p0.com.google.protobuf.Timestamp;
import org.joda.time.Instant;

/**
 * Where the runner puts what a splittable DoFn has left over, and when it comes back to it.
 *
 * <p>Beam's own class names the state of each residual by a counter. Flink keeps a table per name for as long as the job runs, so that a
 * source that hands back a residual every round grows the heap and every checkpoint for ever. Here the name says which of the key's
 * residuals it is: a streaming key has one, which the next replaces.
 */
public class BundleCheckpointHandlers {

  /** Puts residuals into a state of their key and sets a timer for each. */
  public static class StateAndTimerBundleCheckpointHandler<T> implements BundleCheckpointHandler {

    public static final String SDF_PREFIX = "sdf_checkpoint";
    private static final long MILLIS_PER_SECOND = 1_000;
    private static final int NANOS_PER_MILLI = 1_000_000;

    private final TimerInternalsFactory<T> timerInternalsFactory;
    private final StateInternalsFactory<T> stateInternalsFactory;
    private final Coder<WindowedValue<T>> residualCoder;
    private final Coder<BoundedWindow> windowCoder;

    @SuppressWarnings("unchecked") // The runner passes its window coder without a type.
    public StateAndTimerBundleCheckpointHandler(
        TimerInternalsFactory<T> timerInternalsFactory,
        StateInternalsFactory<T> stateInternalsFactory,
        Coder<WindowedValue<T>> residualCoder,
        Coder windowCoder) {
      this.timerInternalsFactory = timerInternalsFactory;
      this.stateInternalsFactory = stateInternalsFactory;
      this.residualCoder = residualCoder;
      this.windowCoder = windowCoder;
    }

    /** Whether it is a timer of this class. */
    public static boolean isSdfTimer(String timerId) {
      return timerId.startsWith(SDF_PREFIX);
    }

    @Override
    public void onCheckpoint(ProcessBundleResponse response) {
      Instant now = Instant.now();
      Map<Slot, Integer> seen = new HashMap<>();
      for (DelayedBundleApplication residual : response.getResidualRootsList()) {
        if (!residual.hasApplication()) continue;
        try {
          keep(residual, now, seen);
        } catch (Exception e) {
          throw new RuntimeException("Failed to set timer/state for the residual", e);
        }
      }
    }

    private void keep(DelayedBundleApplication residual, Instant now, Map<Slot, Integer> seen) throws Exception {
      byte[] element = residual.getApplication().getElement().toByteArray();
      WindowedValue<T> value = CoderUtils.decodeFromByteArray(residualCoder, element);
      TimerInternals timers = timerInternalsFactory.timerInternalsForKey(value.getValue());
      StateInternals states = stateInternalsFactory.stateInternalsForKey(value.getValue());
      Instant fireAt = residual.hasRequestedTimeDelay() ? now.plus(millisOf(residual.getRequestedTimeDelay())) : now;
      Instant hold = Instant.ofEpochMilli(watermarkMillisOf(residual));
      for (BoundedWindow window : value.getWindows()) {
        StateNamespace namespace = StateNamespaces.window(windowCoder, window);
        String tag = tagOf(new Slot(states.getKey(), namespace), seen);
        timers.setTimer(namespace, tag, "", fireAt, hold, TimeDomain.PROCESSING_TIME);
        states
            .state(namespace, StateTags.value(tag, residualCoder))
            .write(
                WindowedValue.of(
                    value.getValue(), value.getTimestamp(), Collections.singletonList(window), value.getPane()));
      }
    }

    /**
     * A bounded job keeps all residuals of a bundle under one key of its own, in memory, and processes all of them in its next bundle: they
     * are numbered by bundle. A streaming job keys them by their element, and the one who builds the graph gives each restriction an element
     * of its own: a second residual of a key would take the place of one that still waits. Where a bundle shows that, the job fails.
     */
    private static String tagOf(Slot slot, Map<Slot, Integer> seen) {
      int index = seen.merge(slot, 1, Integer::sum) - 1;
      if (slot.isOfBoundedJob()) return SDF_PREFIX + ":" + index;
      if (index > 0)
        throw new IllegalStateException("two restrictions of one element at once: give each an element of its own");
      return SDF_PREFIX;
    }

    /** Before everything, when the source says nothing of its watermark. */
    private static long watermarkMillisOf(DelayedBundleApplication residual) {
      return residual.getApplication().getOutputWatermarksMap().values().stream()
          .mapToLong(StateAndTimerBundleCheckpointHandler::millisOf)
          .map(millis -> Math.min(millis, BoundedWindow.TIMESTAMP_MAX_VALUE.getMillis()))
          .min()
          .orElse(BoundedWindow.TIMESTAMP_MIN_VALUE.getMillis());
    }

    private static long millisOf(Duration delay) {
      return delay.getSeconds() * MILLIS_PER_SECOND + delay.getNanos() / NANOS_PER_MILLI;
    }

    /** Nanoseconds of a timestamp count forward, before 1970 too, so that this rounds down: a watermark may be late, never early. */
    private static long millisOf(Timestamp time) {
      return time.getSeconds() * MILLIS_PER_SECOND + time.getNanos() / NANOS_PER_MILLI;
    }

    /** The place of a key's residual in a window. */
    private static final class Slot {
      private final Object key;
      private final StateNamespace namespace;

      Slot(Object key, StateNamespace namespace) {
        this.key = key;
        this.namespace = namespace;
      }

      /** Flink's streaming operator has encoded keys; the batch function has the name of a state. */
      boolean isOfBoundedJob() {
        return key instanceof String;
      }

      @Override
      public boolean equals(Object other) {
        if (!(other instanceof Slot)) return false;
        Slot that = (Slot) other;
        return key.equals(that.key) && namespace.equals(that.namespace);
      }

      @Override
      public int hashCode() {
        return 31 * key.hashCode() + namespace.hashCode();
      }
    }
  }
}
